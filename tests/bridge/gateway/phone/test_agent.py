import pytest

from bridge.audio.lane import Lane
from bridge.gateway.phone.agent import PhoneAgent
from bridge.legs.base import Ended, EndReason, LegEvent, Port
from bridge.virtual import run_virtual


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
