import asyncio
import json
from collections.abc import AsyncIterator

from bridge.talk.events import CallEnded, MicMuted
from bridge.talk.fronts import JsonFront, LineFront
from bridge.talk.steering import Reader
from bridge.talk.typed import line_help
from bridge.virtual import run_virtual
from tests.fakes.screen_talk import FakeTalk


async def nothing_typed() -> AsyncIterator[str]:
    await asyncio.sleep(1_000)
    yield ""


def test_lines_tell_events_and_a_person_is_told_what_to_type() -> None:
    async def scene() -> tuple[list[str], list[str]]:
        written: list[str] = []
        told: list[str] = []
        front = LineFront(written.append, told.append, nothing_typed, Reader(), at_terminal=True)
        running = asyncio.create_task(front.run(FakeTalk()))
        await asyncio.sleep(1)
        front.take(MicMuted(1.0, muted=True))
        front.refuse("not now")
        running.cancel()
        return written, told

    assert run_virtual(scene()) == (["0:01 microphone off"], [line_help(devices=True), "not now"])


def test_json_tells_events_refusals_and_figures_once_a_second() -> None:
    async def scene() -> list[str]:
        written: list[str] = []
        front = JsonFront(written.append, nothing_typed, Reader())
        running = asyncio.create_task(front.run(FakeTalk()))
        await asyncio.sleep(2.5)
        front.refuse("not now")
        front.take(CallEnded(2.5, "hangup", ""))
        running.cancel()
        return written

    events = [json.loads(line)["event"] for line in run_virtual(scene())]

    assert events == ["figures", "figures", "figures", "refused", "ended"]
