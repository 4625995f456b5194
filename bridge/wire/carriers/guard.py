"""What one carrier's socket may do, and what happens when it does something else.

The rules are those of reference reliability 4.3 (T5 to T9) and the limits of section 5: garbage and foreign streams
are ignored and counted until they are too many, floods are dropped or end the call, and the end comes once.
Pure counting with time as an argument, for every carrier, in text or binary.
"""

from typing import Final, Literal

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import DigitIn, Ignored, StopCause, Stopped
from bridge.wire.close_codes import POLICY, TOO_BIG, ending
from bridge.wire.limits import FROM_CLIENT, SocketLimits, Strikes, TokenBucket

FROM_CARRIER: Final[SocketLimits] = FROM_CLIENT
"""A carrier sends what a client of ours does: audio in real time, and messages now and then."""
EARLY_EVENTS: Final = 50
DIGITS_PER_S: Final = 20
KEYS: Final = frozenset("0123456789ABCD*#")

_DETAIL_CHARS: Final = 300

State = Literal["waiting", "live", "over", "refused"]


class Guard:
    """The state of one carrier's socket: waiting for the start, live, over, or refused by us."""

    def __init__(self) -> None:
        self.state: State = "waiting"
        self._limits = limits = FROM_CARRIER
        self._early = 0
        self._stopped = False
        self._strikes = Strikes(limits.bad_messages, limits.bad_window_s)
        self._messages = _bucket(limits.messages_per_s, limits.messages_burst)
        self._frames = _bucket(limits.frames_per_s, limits.frames_burst)
        self._audio_s = _bucket(limits.real_time_factor, limits.audio_burst_s)
        self._digits = TokenBucket(DIGITS_PER_S, DIGITS_PER_S)

    @property
    def is_over(self) -> bool:
        """Whether nothing is taken any more."""
        return self.state in ("over", "refused")

    def refuse(self, sentence: str, close_code: int = POLICY) -> RemoteWireError:
        """The error to raise: the carrier has broken its protocol, and nothing more of it is taken."""
        self.state = "refused"
        return RemoteWireError(sentence, close_code=close_code)

    def check_size(self, n_bytes: int) -> None:
        """Raises: RemoteWireError for a message that is too big."""
        if n_bytes > self._limits.frame_bytes:
            sentence = f"a message has more than {self._limits.frame_bytes} bytes"
            raise self.refuse(sentence, TOO_BIG)

    def check_message(self, now_s: float) -> None:
        """Note one message that is no audio. Raises: RemoteWireError if they are too many."""
        if not self._messages.take(1, now_s):
            raise self.refuse(f"more than {self._limits.messages_per_s:g} messages per second")

    def check_frame(self, now_s: float) -> None:
        """Note one message of audio. Raises: RemoteWireError if they are too many."""
        if not self._frames.take(1, now_s):
            raise self.refuse(f"more than {self._limits.frames_per_s:g} audio messages per second")

    def admit(self, audio_s: float, now_s: float) -> Ignored | None:
        """Note so many seconds of the caller's audio: taken (None), or more than time explains."""
        if self._audio_s.take(audio_s, now_s):
            return None
        return Ignored("too fast", "more audio than time; a frame is dropped")

    @property
    def audio_buckets(self) -> tuple[TokenBucket, TokenBucket]:
        """What `check_frame` and `admit` take from: messages, and seconds of audio."""
        return self._frames, self._audio_s

    def bad(self, detail: str, now_s: float) -> Ignored:
        """Something is not as documented. Raises: RemoteWireError if that is too much of it."""
        return self._strike("bad", detail, now_s)

    def stray(self, detail: str, now_s: float) -> Ignored:
        """Something of another stream. Raises: RemoteWireError if that is too much of it."""
        return self._strike("other stream", detail, now_s)

    def early(self, detail: str) -> Ignored:
        """Something came before the start. Raises: RemoteWireError if that is too much of it."""
        self._early += 1
        if self._early > EARLY_EVENTS:
            raise self.refuse(f"more than {EARLY_EVENTS} messages before the start")
        return Ignored("early", detail)

    def digit(self, value: object, now_s: float) -> DigitIn | Ignored:
        """A key the caller pressed: one of 0-9 A-D * #. Raises: RemoteWireError after too much else."""
        key = value.upper() if isinstance(value, str) else str(value)
        if key not in KEYS:
            return self.bad("a key that no telephone has", now_s)
        if not self._digits.take(1, now_s):
            return Ignored("too fast", f"more than {DIGITS_PER_S} keys per second")
        return DigitIn(key)

    def after_end(self) -> Ignored:
        """Something came when nothing is taken any more."""
        return Ignored("after the end", "a message came after the end")

    def stop(self, cause: StopCause, detail: str = "") -> list[Stopped]:
        """The stream is over: the event for it, the first time."""
        if self._stopped:
            return []
        self._stopped = True
        self.state = "over"
        return [Stopped(cause, detail)]

    def close(self, code: int, reason: str, *, ours: bool) -> list[Stopped]:
        """The socket is over: the event for it, if the carrier has not said so before."""
        end = ending(code, reason, ours=ours)
        orderly = ours or end.orderly
        return self.stop("stopped" if orderly else "lost", end.sentence[:_DETAIL_CHARS])

    def _strike(self, reason: Literal["bad", "other stream"], detail: str, now_s: float) -> Ignored:
        if self._strikes.strike(now_s):
            limits = self._limits
            sentence = f"{limits.bad_messages} bad messages in {limits.bad_window_s:g} s: {detail}"
            raise self.refuse(sentence)
        return Ignored(reason, detail)


def _bucket(rate_per_s: float | None, burst: float) -> TokenBucket:
    assert rate_per_s is not None  # what a carrier sends is limited in every way
    return TokenBucket(rate_per_s, burst)
