import asyncio

from bridge.talk.events import (
    ToolChanged,
)
from tests.fakes.talk_world import FarCall, far_played, soon

# Status


def test_a_tool_that_nobody_has_waits_for_a_person() -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.send("client_tool_invocation", toolName="ask", invocationId="i1", parameters={})
        await asyncio.sleep(60)
        waiting = [event.tool.state for event in joined.of(ToolChanged)]
        assert joined.call.answer_tool("i1", "because")
        assert not joined.call.answer_tool("i1", "or not")
        await soon()

        assert waiting == ["waiting"]
        [sent] = joined.far.of("client_tool_result")
        assert (sent["invocationId"], sent["result"]) == ("i1", "because")
        assert (joined.call.tools[0].state, joined.call.tools[0].by_hand) == ("answered", True)

    far_played(talk, by_hand=True)


def test_a_person_may_say_that_there_is_no_answer() -> None:
    async def talk(joined: FarCall) -> None:
        joined.far.send("client_tool_invocation", toolName="ask", invocationId="i1", parameters={})
        await soon()
        assert joined.call.answer_tool("i1", error="I do not know.")
        await soon()

        [sent] = joined.far.of("client_tool_result")
        assert (sent["errorType"], sent["errorMessage"]) == (
            "implementation-error",
            "I do not know.",
        )

    far_played(talk, by_hand=True)


def test_a_tool_is_registered_as_in_the_vendor_s_sdk() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.register_tool_implementations(
            {"whole": lambda parameters: f"{sorted(parameters)}"}
        )
        joined.far.send(
            "client_tool_invocation",
            toolName="whole",
            invocationId="1",
            parameters={"b": 1, "a": 2},
        )
        await soon()
        [sent] = joined.far.of("client_tool_result")
        assert sent["result"] == "['a', 'b']"

    far_played(talk)
