"""What one end of a serverWebSocket learns from the other, and the figures that describe the link.

Frozen, made in order of arrival; `AudioReceived` is made once per frame and holds no copy.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from bridge.wire.messages import ClientMessage, ClientToolResult, ServerMessage, UnknownMessage
from bridge_codecs.pcm import Int16

Role: TypeAlias = Literal["client", "server"]
Message: TypeAlias = ClientMessage | ServerMessage | UnknownMessage
IgnoredReason: TypeAlias = Literal[
    "odd",  # a frame of an odd number of bytes: dropped whole, half a sample cannot be guessed
    "empty",  # a frame of no bytes
    "audio too fast",  # more audio than time, for longer than a stall explains
    "bad message",  # no data message: not JSON, no type, a wrong field
    "out of order",  # a message that means nothing at this point of the call
    "repeated",  # something that is applied once came again
    "after the end",  # the socket is closed, or the peer was refused
]


@dataclass(frozen=True, slots=True)
class Rates:
    """Sample rates in Hz, in the words of the medium: input is the user's audio."""

    input_hz: int  # client to server
    output_hz: int  # server to client


class AudioReceived(msgspec.Struct, frozen=True, gc=False):  # many a second: a fifth of the time
    """A frame of the peer's audio: mono, at the rate of its direction; never empty."""

    samples: Int16


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A data message that is due now; of an unknown type it is passed on as it came."""

    message: Message


@dataclass(frozen=True, slots=True)
class ClearBuffer:
    """The agent was interrupted: drop all its audio that has not been played. Overtakes audio."""


@dataclass(frozen=True, slots=True)
class AnswerAgain:
    """A tool invocation came again after its answer: send this answer, run nothing."""

    answer: ClientToolResult


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something of the peer's was dropped. The reason is for counters, the detail for people."""

    reason: IgnoredReason
    detail: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer closed the socket or the connection broke; the last event, and only once."""

    code: int
    orderly: bool
    detail: str


SocketEvent: TypeAlias = (
    AudioReceived | MessageReceived | ClearBuffer | AnswerAgain | Ignored | Closed
)


@dataclass(slots=True)
class SocketCounts:
    """What came in: passed + ignored + refused is everything that was received."""

    frames: int = 0  # passed
    messages: int = 0  # passed, unknown types included
    unknown: int = 0  # messages of unknown types
    refused: int = 0  # ended the connection
    ignored: Counter[IgnoredReason] = field(default_factory=Counter)
