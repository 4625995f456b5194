"""Whole talks in virtual time, against the embedded agent: however one ends, the call is left, its files are there."""

import asyncio
import json
from pathlib import Path

import pytest

from bridge.errors import BridgeError, UsageError
from bridge.legs.base import Ended
from bridge.talk.events import CallEnded, SessionEvent, ToolChanged, TranscriptChanged
from bridge.talk.run import TalkOrder, TalkResult, run
from bridge.talk.screen.needs import Talk
from bridge.talk.sound import Sound
from bridge.talk.world import TalkPlan
from bridge.virtual import run_virtual


class Front:
    """Says one thing and then does as it is told.

    Args:
        then: what it does when it has said it: "hang up", "break", "end", "stay".
        words: what it says.
    """

    linger_s = 0.0

    def __init__(self, then: str = "hang up", words: str = "What are your opening hours?") -> None:
        self.events: list[SessionEvent] = []
        self.refusals: list[str] = []
        self._then, self._words = then, words
        self.after_s = 20.0

    def take(self, event: SessionEvent) -> None:
        self.events.append(event)

    def refuse(self, sentence: str) -> None:
        self.refusals.append(sentence)

    async def run(self, talk: Talk) -> None:
        await talk.ready()
        await asyncio.sleep(1)
        talk.send_text(self._words)
        await asyncio.sleep(self.after_s)
        if self._then == "hang up":
            talk.hang_up()
        elif self._then == "break":
            raise BridgeError("the screen broke")
        if self._then != "end":
            await asyncio.sleep(10_000)

    @property
    def transcripts(self) -> list[TranscriptChanged]:
        return [event for event in self.events if isinstance(event, TranscriptChanged)]

    def said(self, role: str) -> str:
        whole = [each.transcript for each in self.transcripts if each.transcript.final]
        return " ".join(each.text for each in whole if each.role == role)


def order(**more: object) -> TalkOrder:
    plan = TalkPlan(virtual=True, agent="receptionist")
    return TalkOrder(plan=plan, sound=Sound(typed=True), **more)  # type: ignore[arg-type]


def talked(front: Front, asked: TalkOrder | None = None) -> TalkResult:
    return run_virtual(run(asked or order(), front))


def test_a_typed_conversation_takes_place_in_text_and_is_left_when_the_user_wants() -> None:
    front = Front()

    result = talked(front)

    assert result.ended == Ended("hangup")
    assert front.said("user") == "What are your opening hours?"
    assert "Monday to Friday" in front.said("agent")
    assert front.events[-1] == CallEnded(result.duration_s, "hangup", "")
    assert [turn.began_by for turn in result.turns] == ["text"]
    assert {said.transcript.medium for said in front.transcripts} == {"text"}


def test_an_agent_that_hangs_up_ends_the_talk() -> None:
    front = Front("stay", "no thank you, goodbye")

    assert talked(front).ended.reason == "agent_hangup"


def test_a_front_that_is_done_leaves_the_call_going_on() -> None:
    front = Front("end", "no thank you, goodbye")
    front.after_s = 0

    assert talked(front).ended.reason == "agent_hangup"


def test_a_front_that_breaks_ends_the_call_with_complete_files(tmp_path: Path) -> None:
    front = Front("break")

    with pytest.raises(BridgeError, match="the screen broke"):
        talked(front, order(record=tmp_path / "talk"))

    told = json.loads((tmp_path / "talk" / "call.json").read_text())
    assert told["end_reason"] == "hangup"
    assert isinstance(front.events[-1], CallEnded)


def test_files_are_complete_when_the_talk_is_cancelled_in_the_middle(tmp_path: Path) -> None:
    async def scene() -> None:
        running = asyncio.create_task(run(order(record=tmp_path / "talk"), Front("stay")))
        await asyncio.sleep(10)
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()

    run_virtual(scene())

    assert json.loads((tmp_path / "talk" / "call.json").read_text())["end_reason"] == "hangup"


@pytest.mark.parametrize("at_s", [0.0, 0.001, 0.01, 0.1, 1.0])
def test_a_talk_can_be_cancelled_at_any_moment(at_s: float) -> None:
    async def scene() -> bool:
        running = asyncio.create_task(run(order(), Front("stay")))
        await asyncio.sleep(at_s)
        running.cancel()
        await asyncio.wait((running,))
        return running.cancelled()

    assert run_virtual(scene())


def test_a_tools_file_answers_the_agents_tools(tmp_path: Path) -> None:
    tools = tmp_path / "mine.py"
    tools.write_text(
        "def bookAppointment(day: str, time: str) -> dict[str, str]:\n"
        '    """Book."""\n'
        '    return {"status": "booked", "reference": "nine nine"}\n'
    )
    front = Front("hang up", "book an appointment please")
    front.after_s = 5

    result = talked(front, order(tool_files=(tools,)))

    assert result.ended == Ended("hangup")


ANSWERS_AFTER_S = 35.0
SEEN = '{"seen": "a boat"}'
LOOKS = """
description = "Has somebody look."

[variables]
seen = ""
asked = ""

[[tools]]
name = "look"

[[steps]]
wait.save = "asked"

[[steps]]
label = "look"
tool.name = "look"
tool.on = [{ has = ["seen"], say = "I see {seen}.", goto = "bye" }]
tool.error = { say = "I see nothing.", goto = "bye" }

[[steps]]
label = "bye"
hang_up = "Goodbye then."
"""


class Person(Front):
    """Answers by hand whatever tool waits, after a while."""

    def take(self, event: SessionEvent) -> None:
        super().take(event)
        if isinstance(event, ToolChanged) and event.tool.state == "waiting":
            asyncio.get_running_loop().call_later(
                ANSWERS_AFTER_S, lambda: self.talk.answer_tool(event.tool.invocation_id, SEEN)
            )

    async def run(self, talk: Talk) -> None:
        self.talk = talk
        await super().run(talk)


@pytest.mark.parametrize(("by_hand", "said"), [(True, "I see a boat."), (False, "I see nothing.")])
def test_a_person_has_more_than_half_a_minute_to_answer_a_tool(
    by_hand: bool, said: str, tmp_path: Path
) -> None:
    script = tmp_path / "clients.toml"
    script.write_text(LOOKS)
    front = Person("hang up", "look")
    front.after_s = 60
    plan = TalkPlan(virtual=True, script=script)

    talked(front, TalkOrder(plan=plan, sound=Sound(typed=True), by_hand=by_hand))

    assert said in front.said("agent")


def test_a_tools_file_with_an_error_is_refused_before_there_is_a_call(tmp_path: Path) -> None:
    tools = tmp_path / "mine.py"
    tools.write_text("def broken(:\n")
    front = Front()

    with pytest.raises(UsageError, match=r"mine\.py.*1"):
        talked(front, order(tool_files=(tools,)))

    assert front.events == []
