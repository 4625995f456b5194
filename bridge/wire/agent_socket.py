"""The serverWebSocket protocol without a socket: one machine for both roles.

Binary frames are raw PCM: signed 16-bit little-endian, mono, no header, any even length; text
frames are data messages; the same both ways. Client role is what a bridge is, server role is what a
call server is. The machine says what came, what is ignored and why, and when a peer has broken the
protocol so far that its call must end (RemoteWireError, with the close code to use).

Source: docs.ultravox.ai (WebSockets, data messages), the vendor's example client, recordings of
live calls of May 2026. Limits: `limits.py`; order of messages: `agent_order.py`, `agent_pairs.py`.
"""

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire import agent_order as order
from bridge.wire.agent_events import (
    AnswerAgain,
    AudioReceived,
    ClearBuffer,
    Closed,
    Ignored,
    IgnoredReason,
    Message,
    MessageReceived,
    Rates,
    Role,
    SocketCounts,
    SocketEvent,
)
from bridge.wire.agent_pairs import Pairs
from bridge.wire.close_codes import POLICY, TOO_BIG, ending
from bridge.wire.limits import FROM_CLIENT, FROM_SERVER, Meter, SocketLimits, Strikes
from bridge.wire.messages import (
    CLIENT_TYPES,
    SERVER_TYPES,
    UnknownMessage,
    client_message,
    encode,
    server_message,
)
from bridge.wire.strict_json import MESSAGE, decode, utf8_size
from bridge_codecs import pcm

__all__ = [
    "AgentSocket",
    "AnswerAgain",
    "AudioReceived",
    "ClearBuffer",
    "Closed",
    "Ignored",
    "IgnoredReason",
    "Message",
    "MessageReceived",
    "Rates",
    "Role",
    "SocketCounts",
    "SocketEvent",
]


class AgentSocket:
    """One end of a serverWebSocket, in one of the two roles.

    Feed what the socket delivers to the `receive_*` methods, in order, with the time in seconds of
    a monotonic clock; send what `text` and `audio` return. `counts` adds up what came in.
    """

    def __init__(
        self,
        role: Role,
        rates: Rates,
        *,
        limits: SocketLimits | None = None,
        call_started: bool = True,
    ) -> None:
        """Take a role; `call_started` False when the client has switched that message off."""
        self.role: Role = role
        self.counts = SocketCounts()
        self._their_role: Role = "server" if role == "client" else "client"
        self._states = dict(order.FIRST_STATE)
        if not call_started:
            self._states["server"] = order.State.LIVE
        self._pairs = Pairs()
        self._limits = limits or (FROM_CLIENT if role == "server" else FROM_SERVER)
        self._strikes = Strikes(self._limits.bad_messages, self._limits.bad_window_s)
        bytes_taken = (FROM_CLIENT if role == "client" else FROM_SERVER).frame_bytes
        self._most_samples = bytes_taken // pcm.BYTES_PER_SAMPLE
        self._speaks = self._states[role] in order.SENDS_AUDIO[role]  # audio is in order now
        their_hz = rates.input_hz if role == "server" else rates.output_hz
        self._meter = Meter(self._limits, their_hz)
        self._refused = False  # the peer broke the protocol: nothing more is taken
        self._closed = False
        # A frame of up to so many bytes is never refused.
        self._hears_bytes = 0 if self._meter.limits_audio else self._limits.frame_bytes

    @property
    def started(self) -> bool:
        """Whether call_started has passed, in either direction."""
        return self._states["server"] is not order.State.WAITING

    @property
    def hanging_up(self) -> bool:
        """Whether the client's hang_up has passed, in either direction."""
        return self._states["client"] is order.State.ENDING

    def receive_text(self, text: str, now_s: float) -> list[SocketEvent]:
        """Take a text frame. Raises: RemoteWireError when the peer's call must end."""
        if self._refused or self._closed:
            return [self._ignore("after the end", "a text frame came after the end")]
        if not self._meter.message(now_s):
            sentence = f"more than {self._limits.messages_per_s:g} data messages per second"
            raise self._refuse(sentence, POLICY)
        read = client_message if self.role == "server" else server_message
        try:
            message = read(decode(text, self._limits.json))
        except RemoteWireError as exc:
            if exc.close_code == TOO_BIG:
                raise self._refuse(str(exc), TOO_BIG) from None
            self._strike(now_s)
            return [self._ignore("bad message", str(exc))]
        return [self._take(message, now_s)]

    def hear(self, data: bytes) -> pcm.Int16 | None:
        """The samples of a binary frame that can mean nothing else; None: `receive_bytes` shall take it."""
        n_bytes = len(data)
        if 0 < n_bytes <= self._hears_bytes and not n_bytes % pcm.BYTES_PER_SAMPLE:
            self.counts.frames += 1
            return pcm.view_bytes(data)
        return None

    def receive_bytes(self, data: bytes, now_s: float) -> list[SocketEvent]:
        """Take a binary frame. Raises: RemoteWireError when the peer's call must end."""
        if self._refused or self._closed:
            return [self._ignore("after the end", "a binary frame came after the end")]
        if len(data) > self._limits.frame_bytes:
            sentence = f"a binary frame has more than {self._limits.frame_bytes} bytes"
            raise self._refuse(sentence, TOO_BIG)
        if not self._meter.frame(now_s):
            sentence = f"more than {self._limits.frames_per_s:g} binary frames per second"
            raise self._refuse(sentence, POLICY)
        if not data:
            return [self._ignore("empty", "a binary frame without audio")]
        if len(data) % pcm.BYTES_PER_SAMPLE:
            return [self._ignore("odd", "a binary frame of an odd number of bytes, dropped whole")]
        n_samples = len(data) // pcm.BYTES_PER_SAMPLE
        if not self._meter.audio(n_samples, now_s):
            return [self._ignore("audio too fast", "more audio than time; a frame is dropped")]
        # No look at the order: audio is read in every state (a test holds the table to that).
        self.counts.frames += 1
        return [AudioReceived(pcm.from_bytes(data))]

    def receive_close(
        self, code: int | None, reason: str = "", *, ours: bool = False
    ) -> list[SocketEvent]:
        """Take the end of the socket; code None is a connection that broke without a close.

        `ours`: this end has closed it, over something the peer did.
        """
        if self._closed:
            return []
        self._closed = True
        self._hears_bytes = 0
        end = ending(code, reason, ours=ours)
        return [Closed(end.code, end.orderly, end.sentence)]

    def text(self, message: Message) -> str:
        """Encode a message of ours, the text frame to send.

        Raises: LocalWireError for the other role's message, one out of order, or one over 64 KiB.
        """
        own = CLIENT_TYPES if self.role == "client" else SERVER_TYPES
        if message.type not in own and not isinstance(message, UnknownMessage):
            raise LocalWireError(f"a {self.role} cannot send {message.type}")
        text = encode(message)
        if utf8_size(text) > MESSAGE.max_bytes:
            raise LocalWireError(f"a {message.type} message has over {MESSAGE.max_bytes} bytes")
        state = self._next(order.kind_of(message), message.type)
        self._pairs.sent(message)
        self._states[self.role] = state
        self._speaks = state in order.SENDS_AUDIO[self.role]
        return text

    def audio(self, samples: pcm.Int16) -> bytes:
        """Encode a frame of ours: mono int16, shape (n,), at the rate of our direction.

        Raises: LocalWireError before call_started, or for a frame larger than the peer takes.
        """
        if len(samples) > self._most_samples:
            most = self._most_samples * pcm.BYTES_PER_SAMPLE
            raise LocalWireError(f"a frame of {samples.size} samples has over {most} bytes")
        if not self._speaks:
            self._next(order.Kind.AUDIO, "audio")
        return pcm.raw_bytes(samples)

    def may_send(self, message: Message) -> bool:
        """Whether the order of messages lets us send this one now."""
        state = self._states[self.role]
        return order.next_state(self.role, state, order.kind_of(message)) is not None

    def _next(self, kind: order.Kind, what: str) -> order.State:
        now = self._states[self.role]
        state = order.next_state(self.role, now, kind)
        if state is None:
            raise LocalWireError(f"a {self.role} that is {now} cannot send {what}")
        return state

    def _advance(self, kind: order.Kind) -> bool:
        role = self._their_role
        state = order.next_state_read(role, self._states[role], kind)
        if state is None:
            return False
        self._states[role] = state
        return True

    def _take(self, message: Message, now_s: float) -> SocketEvent:
        unknown = isinstance(message, UnknownMessage)
        # A client speaks our protocol; a server may be newer than we are.
        if unknown and self.role == "server":
            self._strike(now_s)
        if not self._advance(order.kind_of(message)):
            return self._ignore("out of order", f"{message.type} came out of order")
        event = self._pairs.received(message)
        if isinstance(event, Ignored):
            return self._ignore(event.reason, event.detail)
        self.counts.messages += 1
        self.counts.unknown += unknown
        return event

    def _strike(self, now_s: float) -> None:
        if self._strikes.strike(now_s):
            limits = self._limits
            raise self._refuse(
                f"{limits.bad_messages} bad data messages in {limits.bad_window_s:g} s", POLICY
            )

    def _ignore(self, reason: IgnoredReason, detail: str) -> Ignored:
        self.counts.ignored[reason] += 1
        return Ignored(reason, detail)

    def _refuse(self, sentence: str, close_code: int) -> RemoteWireError:
        self._refused = True
        self._hears_bytes = 0
        self.counts.refused += 1
        return RemoteWireError(sentence, close_code=close_code)
