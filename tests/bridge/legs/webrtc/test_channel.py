"""A data channel: bounds, and what is called back when."""

from typing import Any

import pytest
from aiortc.exceptions import InvalidStateError

from bridge.legs.webrtc.channel import MAX_BUFFERED_BYTES, MAX_MESSAGE_BYTES, Channel


class Foreign:
    """aiortc's channel, as far as ours knows it."""

    def __init__(self) -> None:
        self.label = "tipring"
        self.readyState = "connecting"
        self.bufferedAmount = 0
        self.sent: list[bytes | str] = []
        self.handlers: dict[str, Any] = {}
        self.fails = False
        self.takes_bytes = 100

    def on(self, event: str, handler: Any) -> None:
        self.handlers[event] = handler

    def send(self, message: bytes | str) -> None:
        if self.fails:
            raise InvalidStateError
        if len(message) > self.takes_bytes:
            raise ValueError
        self.sent.append(message)

    def close(self) -> None:
        self.readyState = "closing"

    def opens(self) -> None:
        self.readyState = "open"
        self.handlers["open"]()


@pytest.fixture
def foreign() -> Foreign:
    return Foreign()


@pytest.fixture
def channel(foreign: Foreign) -> Channel:
    return Channel(foreign)  # type: ignore[arg-type]


def test_nothing_is_sent_before_it_is_open_or_after(channel: Channel, foreign: Foreign) -> None:
    assert not channel.send("early")
    foreign.opens()
    assert channel.send("in time")
    channel.close()
    assert not channel.send("late")
    assert foreign.sent == ["in time"]


def test_a_peer_that_reads_too_slowly_loses_what_comes_then(
    channel: Channel, foreign: Foreign
) -> None:
    foreign.opens()
    foreign.bufferedAmount = MAX_BUFFERED_BYTES
    assert channel.send("still")
    foreign.bufferedAmount += 1
    assert not channel.send("no more")
    assert channel.dropped == 1


def test_a_channel_that_breaks_as_it_sends_sends_nothing(
    channel: Channel, foreign: Foreign
) -> None:
    foreign.opens()
    foreign.fails = True
    assert not channel.send("x")


def test_a_message_that_is_longer_than_the_peer_takes_is_not_sent_and_counted(
    channel: Channel, foreign: Foreign
) -> None:
    foreign.opens()
    assert channel.send("x" * 100)
    assert channel.dropped == 0
    assert not channel.send("x" * 101)
    assert channel.dropped == 1


def test_a_message_of_the_greatest_length_is_taken_and_a_longer_one_is_not(
    channel: Channel, foreign: Foreign
) -> None:
    got: list[int] = []
    channel.on_message = lambda message: got.append(len(message))
    foreign.handlers["message"](b"x" * MAX_MESSAGE_BYTES)
    foreign.handlers["message"](b"x" * (MAX_MESSAGE_BYTES + 1))
    assert got == [MAX_MESSAGE_BYTES]
    assert channel.dropped == 1


def test_who_is_called_back_until_it_is_forgotten(channel: Channel, foreign: Foreign) -> None:
    called: list[str] = []
    channel.on_open = lambda: called.append("open")
    channel.on_close = lambda: called.append("close")
    foreign.opens()
    foreign.handlers["close"]()
    assert called == ["open", "close"]
    channel.forget()
    for event in ("open", "close"):
        foreign.handlers[event]()
    foreign.handlers["message"]("nobody listens")
    assert called == ["open", "close"]


def test_closing_again_does_nothing(channel: Channel, foreign: Foreign) -> None:
    foreign.opens()
    channel.close()
    foreign.readyState = "closed"
    channel.close()
    assert foreign.readyState == "closed"
