import asyncio
from collections.abc import Mapping

import pytest

from bridge.brains.base import CallTool
from bridge.legs.brain.host import ToolOutcome
from bridge.legs.brain.tool_turns import AfterTools, HangUpRequest, Invocation, run_tools
from bridge.virtual import run_virtual
from tests.fakes.brain_parts import HandTools, ListJournal
from tests.fakes.legs import hand_port


def call_of(name: str, known: ToolOutcome | None = None) -> Invocation:
    return Invocation(f"id-{name}", CallTool(name, {"x": name}), known)


def ran(
    *invocations: Invocation, tools: HandTools | None = None, agent_spoke: bool = False
) -> tuple[AfterTools, ListJournal, list[object]]:
    journal = ListJournal()

    async def call() -> tuple[AfterTools, list[object]]:
        ends = hand_port()
        after = await run_tools(
            invocations,
            tools=tools or HandTools(),
            journal=journal,
            port=ends.port,
            medium="voice",
            agent_spoke=agent_spoke,
        )
        return after, ends.messages

    after, messages = run_virtual(call())
    return after, journal, messages


def test_all_calls_are_recorded_before_all_results() -> None:
    _, journal, messages = ran(call_of("a"), call_of("b"))

    assert journal.texts == [
        ("tool_call", '{"x": "a"}'),
        ("tool_call", '{"x": "b"}'),
        ("tool_result", "fine"),
        ("tool_result", "fine"),
    ]
    assert [type(message).__name__ for message in messages] == [
        *["InvokingTool"] * 2,
        *["ToolUsed"] * 2,
    ]


def test_each_result_is_recorded_with_the_state_that_its_own_tool_left() -> None:
    tools = HandTools({"b": ToolOutcome("fine", call_state={"step": 2})})
    _, journal, _ = ran(call_of("a"), call_of("b"), tools=tools)

    assert [message["call_state"] for message in journal.messages] == [
        None,
        None,
        None,
        {"step": 2},
    ]


def test_tools_run_side_by_side() -> None:
    async def call() -> float:
        await run_tools(
            [call_of("a"), call_of("b"), call_of("c")],
            tools=HandTools(takes_s=2.0),
            journal=ListJournal(),
            port=hand_port().port,
            medium="voice",
            agent_spoke=False,
        )
        return asyncio.get_running_loop().time()

    assert run_virtual(call()) == pytest.approx(2.0)


def test_a_known_result_stands_for_running_the_tool() -> None:
    tools = HandTools()
    after, _, _ = ran(call_of("a", ToolOutcome("known")), call_of("b"), tools=tools)

    assert [name for _, name, _ in tools.ran] == ["b"]
    assert [each.result for each in after.returns] == ["known", "fine"]


def test_the_brain_reads_a_softened_failure_and_the_record_keeps_the_details() -> None:
    failed = ToolOutcome("The tool failed.", error="timeout after 2.5 s")
    after, journal, _ = ran(call_of("a"), tools=HandTools({"a": failed}))

    assert after.returns[0].error == "The tool failed."
    assert journal.messages[-1]["error"] == "timeout after 2.5 s"


@pytest.mark.parametrize(
    ("reactions", "agent_spoke", "reply"),
    [
        (("speaks",), False, True),
        (("listens",), False, False),
        (("speaks-once",), False, True),
        (("speaks-once",), True, False),
        (("listens", "speaks"), True, True),
        (("listens", "speaks-once"), True, False),
    ],
)
def test_the_agent_replies_if_any_reaction_asks_for_it(
    reactions: tuple[str, ...],
    agent_spoke: bool,
    reply: bool,
) -> None:
    outcomes = {str(n): ToolOutcome("", reaction) for n, reaction in enumerate(reactions)}  # type: ignore[arg-type]
    after, _, _ = ran(*map(call_of, outcomes), tools=HandTools(outcomes), agent_spoke=agent_spoke)

    assert after.reply is reply


@pytest.mark.parametrize(
    ("body", "request_"),
    [
        ('{"message": "Bye.", "strict": true}', HangUpRequest("Bye.", strict=True)),
        ('{"message": "Bye.", "strict": false}', HangUpRequest("Bye.", strict=False)),
        ('{"message": "Bye."}', HangUpRequest("Bye.", strict=True)),
        ('{"message": 5, "strict": "no"}', HangUpRequest("", strict=True)),
        ("no json", HangUpRequest("", strict=True)),
        ("[]", HangUpRequest("", strict=True)),
        ("", HangUpRequest("", strict=True)),
    ],
)
def test_a_hang_up_result_says_how(body: str, request_: HangUpRequest) -> None:
    outcome = ToolOutcome(body, response_type="hang-up")
    after, _, _ = ran(call_of("a"), call_of("b"), tools=HandTools({"b": outcome}))

    assert after.hang_up == request_


def test_deeply_nested_hang_up_results_are_no_message() -> None:
    outcome = ToolOutcome("[" * 60_000, response_type="hang-up")
    after, _, _ = ran(call_of("a"), tools=HandTools({"a": outcome}))
    assert after.hang_up == HangUpRequest()


def test_cancelled_it_leaves_no_tool_running() -> None:
    async def call() -> None:
        tools = HandTools(takes_s=100)
        task = asyncio.create_task(
            run_tools(
                [call_of("a"), call_of("b")],
                tools=tools,
                journal=ListJournal(),
                port=hand_port().port,
                medium="voice",
                agent_spoke=False,
            )
        )
        await asyncio.sleep(1)
        assert tools.running == 2
        task.cancel()
        await asyncio.wait((task,))

        assert tools.running == 0
        assert task.cancelled()

    run_virtual(call())


def test_a_tool_that_raises_takes_the_others_with_it() -> None:
    class Buggy(HandTools):
        async def run(
            self, invocation_id: str, name: str, arguments: Mapping[str, object]
        ) -> ToolOutcome:
            if name == "bug":
                raise ValueError(name)
            return await super().run(invocation_id, name, arguments)

    tools = Buggy(takes_s=100)
    with pytest.raises(ExceptionGroup):
        ran(call_of("a"), call_of("bug"), tools=tools)
    assert tools.running == 0
