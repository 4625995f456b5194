"""What both roles do with each message of the peer: bounds, parsing, strikes, and candidates kept for later."""

from collections import defaultdict
from typing import Final, Protocol, TypeVar

from google.protobuf.message import DecodeError
from livekit.protocol import rtc

from bridge.errors import RemoteWireError
from bridge.wire.close_codes import POLICY, TOO_BIG
from bridge.wire.limits import Strikes, TokenBucket
from bridge.wire.livekit.events import Candidate, Ignored, OfferReceived, Target, Version
from bridge.wire.livekit.limits import SessionLimits


class Parsed(Protocol):
    """A protobuf message, as much as is needed here."""

    def ParseFromString(self, serialized: bytes) -> int:  # noqa: N802 - protobuf's name
        """Read a message; raises DecodeError."""
        ...


P = TypeVar("P", bound=Parsed)
NO_USE: Final = "message without use"


class Intake:
    """Counts and bounds one peer's messages.

    Args:
        limits: what it may send.
        peer: what its messages are called in sentences: ``the client's``.
    """

    def __init__(self, limits: SessionLimits, peer: str) -> None:
        self.limits = limits
        self._peer = peer
        self._messages = TokenBucket(limits.messages_per_s, limits.messages_burst)
        self._offers = TokenBucket(limits.offers_per_s, limits.offers_burst)
        self._strikes = Strikes(limits.bad_messages, limits.bad_window_s)

    def parse(self, data: bytes, into: P, now_s: float) -> P | Ignored:
        """Read a message. Raises: RemoteWireError when the session must end."""
        if len(data) > self.limits.message_bytes:
            sentence = f"{self._peer} signalling message has over {self.limits.message_bytes} bytes"
            raise RemoteWireError(sentence, close_code=TOO_BIG)
        if not self._messages.take(1, now_s):
            raise self._refusal(f"over {self.limits.messages_per_s:g} signalling messages a second")
        try:
            into.ParseFromString(data)
        except DecodeError:
            return self.bad("a signalling message cannot be read", now_s)
        return into

    def bad(self, sentence: str, now_s: float) -> Ignored:
        """Note a message that cannot be used. Raises: RemoteWireError for one too many."""
        if self._strikes.strike(now_s):
            limits = self.limits
            raise self._refusal(
                f"{limits.bad_messages} bad signalling messages in {limits.bad_window_s:g} s"
            )
        return Ignored("bad message", sentence)

    def offer(self, offer_id: int, sdp: str, target: Target, now_s: float) -> OfferReceived:
        """Take an offer. Raises: RemoteWireError for one too many or too long."""
        if not self._offers.take(1, now_s):
            raise self._refusal(f"over {self.limits.offers_per_s:g} offers a second")
        return OfferReceived(offer_id, self.sdp(sdp), target)

    def sdp(self, sdp: str) -> str:
        """The description itself. Raises: RemoteWireError for one too long."""
        if len(sdp) > self.limits.sdp_bytes:
            sentence = f"{self._peer} session description has over {self.limits.sdp_bytes} bytes"
            raise RemoteWireError(sentence, close_code=TOO_BIG)
        return sdp

    def _refusal(self, what: str) -> RemoteWireError:
        return RemoteWireError(f"{self._peer} side sent {what}", close_code=POLICY)


class Candidates:
    """Keeps candidates that come before their description, and lets only so many pass."""

    def __init__(self, limits: SessionLimits) -> None:
        self._limits = limits
        self._open: set[Target] = set()
        self._kept: defaultdict[Target, list[Candidate]] = defaultdict(list)
        self._taken: defaultdict[Target, int] = defaultdict(int)

    def take(self, asked: rtc.TrickleRequest, version: Version) -> list[Candidate | Ignored]:
        """What is due now."""
        init = asked.candidateInit
        if not init:  # the end of the candidates
            return []
        second = version == "v0" and asked.target == rtc.SignalTarget.SUBSCRIBER
        target: Target = "subscriber" if second else "publisher"
        most = self._limits.candidates
        if len(init) > self._limits.candidate_bytes or self._taken[target] >= most:
            return [Ignored("candidate", f"a candidate is too long, or one of over {most}")]
        self._taken[target] += 1
        candidate = Candidate(target, init)
        if target in self._open:
            return [candidate]
        self._kept[target].append(candidate)
        return []

    def open(self, target: Target) -> list[Candidate]:
        """The description is there: what was kept is due now, and later ones at once."""
        self._open.add(target)
        return self._kept.pop(target, [])
