"""What the screen is told of a device's losses, from a session and a device in the test's hand."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from bridge.legs.device.figures import DeviceFigures
from bridge.talk.conversation import Conversation
from bridge.talk.session import CallSession


@dataclass
class HandDevice:
    """A device that counts what the test says."""

    overruns: int = 0
    glitches: int = 0
    levels: tuple[float, float] = (-30.0, -40.0)
    held: list[bool | None] = field(default_factory=list)

    @property
    def figures(self) -> DeviceFigures:
        return DeviceFigures(overruns=self.overruns, glitches=self.glitches)

    def push_to_talk(self, held: bool | None) -> None:
        self.held.append(held)


def made(device: HandDevice | None) -> tuple[Conversation, SimpleNamespace]:
    figures = SimpleNamespace(underruns=0, buffered_ms=12.5)
    session = SimpleNamespace(status="disconnected", figures=figures)
    return Conversation(cast("CallSession", session), device, print), session


def test_what_is_lost_while_devices_settle_and_nobody_is_there_is_not_of_the_call() -> None:
    device = HandDevice()
    talk, session = made(device)
    device.glitches = 14
    assert talk.gauges().drops == 0
    session.status, device.overruns = "connecting", 3
    assert talk.gauges().drops == 0
    session.status = "listening"
    assert talk.gauges().drops == 0
    session.figures.underruns, device.glitches = 1, 16
    assert talk.gauges().drops == 3
    session.status, device.overruns = "disconnected", 4
    assert talk.gauges().drops == 4


def test_a_talk_without_devices_shows_what_is_held_and_pushes_nothing() -> None:
    talk, _ = made(None)
    assert (talk.gauges().buffer_ms, talk.gauges().drops) == (12.5, 0)
    talk.push_to_talk(held=True)
    assert not talk.has_devices


def test_the_key_to_talk_is_the_devices() -> None:
    device = HandDevice()
    talk, _ = made(device)
    for held in (True, False, None):
        talk.push_to_talk(held)
    assert device.held == [True, False, None]
