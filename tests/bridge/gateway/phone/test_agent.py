import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.gateway.phone.agent import PhoneAgent
from bridge.legs.base import Ended, EndReason, LegEvent, MessageEvent, Port, Warned
from bridge.virtual import run_virtual
from bridge.wire.messages import State


class Scripted:
    name = "scripted"
    source_hz = sink_hz = 8_000

    def __init__(self, end: Ended | Exception) -> None:
        self._end = end

    async def run(self, port: Port) -> Ended:
        if isinstance(self._end, Exception):
            raise self._end
        return self._end

    def clear(self) -> None:
        """Nothing is held."""

    def receive(self, event: LegEvent) -> None:
        """Nothing is taken."""

    async def drain(self) -> None:
        """Nothing waits."""


def ran(end: Ended | Exception) -> tuple[Ended, int]:
    """How the leg ended, and how often what was not heard was dropped."""
    cleared: list[bool] = []

    async def test() -> Ended:
        lane = Lane(8_000, 1_000, "drop_newest")
        port = Port(lane, lane, lambda _event: None, lambda: cleared.append(True))
        return await PhoneAgent(Scripted(end)).run(port)

    return run_virtual(test()), len(cleared)


@pytest.mark.parametrize(
    ("reason", "n_cleared"),
    [("agent_hangup", 0), ("hangup", 0), ("connection_error", 1), ("system_error", 1)],
)
def test_only_an_agent_that_is_lost_takes_its_words_along(
    reason: EndReason, n_cleared: int
) -> None:
    assert ran(Ended(reason)) == (Ended(reason), n_cleared)


def test_an_agent_that_breaks_inside_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    end, n_cleared = ran(RuntimeError("CANARY-words"))

    assert (end.reason, n_cleared) == ("system_error", 1)
    assert "RuntimeError" in caplog.text
    assert "CANARY-words" not in caplog.messages[0]


class Slow(Scripted):
    """Gives its first sign of life after a while, and ends in order at 10 s."""

    def __init__(self, after_s: float, sign: Callable[[Port], None]) -> None:
        super().__init__(Ended("agent_hangup"))
        self._after_s = after_s
        self._sign = sign

    async def run(self, port: Port) -> Ended:
        await asyncio.sleep(self._after_s)
        self._sign(port)
        await asyncio.sleep(10.0 - self._after_s)
        return await super().run(port)


def speak(port: Port) -> None:
    port.outgoing.push(np.zeros(160, np.int16))


def tell(port: Port) -> None:
    port.emit(MessageEvent(State(state="listening")))


def stammer(port: Port) -> None:
    port.emit(Warned("ignored: bad message", "it is no JSON"))


@pytest.mark.parametrize(
    ("after_s", "sign", "lost"),
    [(1.9, speak, False), (1.9, tell, False), (1.9, stammer, True), (2.1, speak, True)],
)
def test_an_agent_that_gives_no_sign_of_life_in_time_is_lost(
    after_s: float, sign: Callable[[Port], None], lost: bool
) -> None:
    async def test() -> tuple[Ended, float]:
        lane = Lane(8_000, 1_000, "drop_newest")
        port = Port(lane, lane, lambda _event: None, lambda: None)
        ended = await PhoneAgent(Slow(after_s, sign), first_word_s=2.0).run(port)
        return ended, asyncio.get_running_loop().time()

    ended, at_s = run_virtual(test())

    assert ended.reason == ("connection_error" if lost else "agent_hangup")
    assert at_s == (2.0 if lost else 10.0)
