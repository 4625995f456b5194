import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.calls.client_tools import FAILED, MAX_PENDING, ClientTools
from bridge.calls.journal import CallJournal
from bridge.calls.records import CallRecord, EventRecord, StageRecord
from bridge.calls.settings import (
    AutomaticParameter,
    CallSettings,
    KnownValue,
    ServerSocketMedium,
    StaticParameter,
    ToolSpec,
)
from bridge.calls.store import MemoryStore
from bridge.errors import LocalWireError
from bridge.ids import Ids
from bridge.legs.brain.host import ToolOutcome
from bridge.virtual import run_virtual
from bridge.wire.messages import ClientToolInvocation, ClientToolResult, ServerMessage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TOOL = ToolSpec("lookup")
KNOWN_HISTORY: KnownValue = "conversation_history"


class Bench:
    """The tools of a call, and the client's end of them."""

    def __init__(self, *specs: ToolSpec) -> None:
        settings = CallSettings(
            tools=specs or (TOOL,),
            medium=ServerSocketMedium(output_hz=8_000),
            metadata={"m": "1"},
            initial_state={"s": 1},
        )
        record = CallRecord("c", settings, NOW, "token")
        stage = StageRecord("s", "c", NOW, settings)
        self.journal = CallJournal(
            record, stage, (), store=MemoryStore(), ids=Ids("x"), now=lambda: NOW
        )
        self.events: list[EventRecord] = []
        self.journal.on_event = self.events.append
        self.sent: list[ServerMessage] = []
        self.refusal: LocalWireError | None = None
        self.tools = ClientTools(record, self.journal, self.send)

    def send(self, message: ServerMessage) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.sent.append(message)

    def begin(self, invocation_id: str = "a", name: str = "lookup") -> "asyncio.Task[ToolOutcome]":
        return asyncio.create_task(self.tools.run(invocation_id, name, {"q": 1}))

    async def outcome(self, **result: object) -> ToolOutcome:
        running = self.begin()
        await asyncio.sleep(0)
        self.answer("a", **result)
        return await running

    def answer(self, name: str = "a", **result: object) -> None:
        self.tools.take(ClientToolResult.model_validate({"invocation_id": name, **result}))


def test_the_invocation_carries_model_arguments_automatic_and_static_ones_the_last_win() -> None:
    async def call() -> None:
        spec = replace(
            TOOL,
            static=(StaticParameter("fixed", [1]), StaticParameter("q", "static")),
            automatic=(AutomaticParameter("id", "call_id"),),
            parameter_overrides={"fixed": 2},
        )
        bench = Bench(spec)
        running = bench.begin()
        await asyncio.sleep(0)

        assert bench.sent == [
            ClientToolInvocation(
                tool_name="lookup",
                invocation_id="a",
                parameters={"q": "static", "id": "c", "fixed": 2},
            )
        ]
        bench.answer(result="r")
        assert await running == ToolOutcome("r", "speaks", "tool-response")

    run_virtual(call())


@pytest.mark.parametrize(
    ("known", "value"),
    [
        ("call_id", "c"),
        ("output_sample_rate", 8_000),
        ("call_state", {"s": 1}),
        ("call_metadata", {"m": "1"}),
        ("call_stage_id", "s"),
        ("thread_id", "UI"),
        ("thread_states", {}),
        ("conversation_history", [{"role": "MESSAGE_ROLE_USER", "text": "hi"}]),
    ],
)
def test_what_the_call_knows_of_itself_fills_automatic_parameters(
    known: KnownValue, value: object
) -> None:
    async def call() -> None:
        bench = Bench(
            replace(TOOL, static_response="", automatic=(AutomaticParameter("p", known),))
        )
        bench.journal.add("user", "hi", medium="text")
        await bench.begin()
        [sent] = bench.sent
        assert isinstance(sent, ClientToolInvocation)
        assert sent.parameters["p"] == value

    run_virtual(call())


def test_the_history_names_tools_and_invocations_and_leaves_blank_agent_messages_out() -> None:
    async def call() -> None:
        spec = replace(
            TOOL, static_response="", automatic=(AutomaticParameter("p", KNOWN_HISTORY),)
        )
        bench = Bench(spec)
        bench.journal.add("agent", "", medium="voice")
        bench.journal.add("tool_call", "{}", medium="voice", invocation_id="i", tool_name="lookup")
        await bench.begin()
        [sent] = bench.sent
        assert isinstance(sent, ClientToolInvocation)

        assert sent.parameters["p"] == [
            {
                "role": "MESSAGE_ROLE_TOOL_CALL",
                "text": "{}",
                "invocationId": "i",
                "toolName": "lookup",
            }
        ]

    run_virtual(call())


def test_the_results_reaction_beats_the_tools_own() -> None:
    async def call() -> None:
        bench = Bench(replace(TOOL, default_reaction="listens"))

        assert (await bench.outcome(result="r")).reaction == "listens"
        assert (await bench.outcome(result="r", agent_reaction="speaks")).reaction == "speaks"

    run_virtual(call())


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ({"error_type": "undefined"}, "the client reported undefined"),
        ({"error_type": "implementation-error", "error_message": "oh"}, "the client reported oh"),
        ({"response_type": "new-stage"}, "response type new-stage is not served here"),
        ({"response_type": "send-to-thread"}, "response type send-to-thread is not served here"),
    ],
)
def test_a_failure_is_an_outcome_with_its_details_and_an_event(
    result: dict[str, object], error: str
) -> None:
    async def call() -> None:
        bench = Bench()
        outcome = await bench.outcome(**result)

        assert outcome == ToolOutcome(FAILED, "speaks", error=error)
        assert [event.text for event in bench.events] == [f"tool lookup: {error}"]

    run_virtual(call())


def test_a_hang_up_is_passed_on() -> None:
    async def call() -> None:
        outcome = await Bench().outcome(result="{}", response_type="hang-up")
        assert (outcome.result, outcome.response_type, outcome.error) == ("{}", "hang-up", None)

    run_virtual(call())


def test_a_missing_result_is_an_empty_one() -> None:
    async def call() -> None:
        assert (await Bench().outcome()).result == ""

    run_virtual(call())


@pytest.mark.parametrize("failure", [{}, {"error_type": "implementation-error"}])
def test_a_state_update_belongs_to_the_outcome_of_its_tool(failure: dict[str, object]) -> None:
    async def call() -> None:
        bench = Bench()
        updated = await bench.outcome(result="r", update_call_state={"t": 2}, **failure)
        unchanged = await bench.outcome(result="r", **failure)

        assert (updated.call_state, unchanged.call_state) == ({"t": 2}, None)
        assert bench.journal.call_state == {"s": 1}  # until the result is recorded

    run_virtual(call())


@pytest.mark.parametrize(("after_s", "ok"), [(2.49, True), (2.51, False)])
def test_a_result_counts_until_the_timeout(after_s: float, ok: bool) -> None:
    async def call() -> None:
        bench = Bench()
        running = bench.begin()
        await asyncio.sleep(after_s)
        bench.answer(result="r")
        outcome = await running

        assert (outcome.error is None) is ok
        assert [event.type for event in bench.events] == (
            [] if ok else ["tool_failed", "stale_tool_result"]
        )

    run_virtual(call())


def test_the_first_result_wins_and_strangers_are_dropped() -> None:
    async def call() -> None:
        bench = Bench()
        running = bench.begin()
        await asyncio.sleep(0)
        bench.answer("stranger", result="0")
        bench.answer(result="1")
        bench.answer(result="2")

        assert (await running).result == "1"
        assert [event.type for event in bench.events] == ["stale_tool_result"] * 2

    run_virtual(call())


def test_an_unknown_tool_is_never_sent() -> None:
    async def call() -> None:
        bench = Bench()
        outcome = await bench.begin(name="nothing")

        assert outcome.error == "this call has no tool 'nothing'"
        assert bench.sent == []

    run_virtual(call())


def test_a_static_response_is_the_result_at_once_and_the_client_learns_of_the_call() -> None:
    async def call() -> None:
        bench = Bench(replace(TOOL, static_response="at once", default_reaction="listens"))

        assert await bench.begin() == ToolOutcome("at once", "listens")
        assert len(bench.sent) == 1
        assert asyncio.get_running_loop().time() == 0
        bench.answer(result="ignored")
        assert bench.events == []
        bench.answer(result="once more")
        assert [event.type for event in bench.events] == ["stale_tool_result"]

    run_virtual(call())


def test_an_invocation_that_cannot_be_sent_is_a_failed_tool() -> None:
    async def call() -> None:
        for spec in (TOOL, replace(TOOL, static_response="at once")):
            bench = Bench(spec)
            bench.refusal = LocalWireError("a client_tool_invocation message has over 65536 bytes")
            outcome = await bench.begin()
            assert outcome.error == "a client_tool_invocation message has over 65536 bytes"
            assert outcome.result == FAILED

    run_virtual(call())


def test_an_invocation_id_that_is_in_use_fails_the_second_call_alone() -> None:
    async def call() -> None:
        bench = Bench()
        first, second = bench.begin("a"), bench.begin("a")

        assert (await second).error == "its invocation id is in use"
        bench.answer("a", result="r")
        assert (await first).result == "r"

    run_virtual(call())


def test_as_many_invocations_may_wait_as_the_bound_and_no_more() -> None:
    async def call() -> None:
        bench = Bench()
        waiting = [bench.begin(str(number)) for number in range(MAX_PENDING)]
        refused = await bench.begin("one more")
        assert refused.error == "too many tool calls are pending"
        for number in range(MAX_PENDING):
            bench.answer(str(number), result="r")
        assert {(await each).result for each in waiting} == {"r"}
        assert (await bench.outcome(result="again")).result == "again"

    run_virtual(call())


def test_a_cancelled_call_waits_no_more() -> None:
    async def call() -> None:
        bench = Bench()
        running = bench.begin()
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait((running,))
        bench.answer(result="r")

        assert [event.type for event in bench.events] == ["stale_tool_result"]

    run_virtual(call())


def test_a_tool_name_of_foreign_hands_ends_up_quoted() -> None:
    async def call() -> None:
        outcome = await Bench().begin(name="x\ny")
        assert outcome.error == r"this call has no tool 'x\ny'"

    run_virtual(call())
