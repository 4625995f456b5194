"""What is kept of a phone call, for whoever asks by REST and for the one line in the log."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from bridge.clock import rfc3339
from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.legs.carrier.figures import CarrierFigures, figures_of, interruptions_of
from bridge.log import Redacted
from bridge.wire.carriers.base import CarrierName

JsonDict: TypeAlias = dict[str, object]
MAX_KEPT: Final = 1_000
"""Calls that have ended, the newest."""

Stage: TypeAlias = Literal[
    "answered",  # the carrier was told where to open its socket
    "socket",  # it has opened it
    "start",  # the stream has started
    "created",  # the AI call is made
    "joined",  # and joined
    "first_audio",  # the agent's first sound goes out
    "ended",
]
State: TypeAlias = Literal["waiting", "live", "ended"]
EndReason: TypeAlias = Literal[
    "hangup",  # the caller hung up, or the carrier ended the stream
    "agent_hangup",
    "transferred",
    "timeout",  # the call lasted as long as a call may
    "ai_failed",  # the caller heard the fallback
    "connection_error",  # the carrier's connection broke
    "refused",  # its socket or its start was not what we had answered
    "no_socket",  # it never opened one
    "no_start",  # it opened one and said nothing of use
    "system_error",
]
_PRIVATE: Final = re.compile(r"(?<!\S)\S*(?:@|://)\S*|\w{20,}|\+?\d(?:[ ().-]{0,2}\d){5,}")
"""In foreign words: addresses, numbers, and what may be an id or a secret."""
FallbackOutcome: TypeAlias = Literal["", "hung up", "transferred", "not heard"]


@dataclass(frozen=True, slots=True)
class PhoneEnd:
    """Why a phone call is over."""

    reason: EndReason
    detail: str = ""
    """A sentence for people, without numbers and secrets; empty where there is nothing to add."""


@dataclass(slots=True, kw_only=True)
class PhoneCallRecord:
    """One phone call."""

    id: str
    """Ours."""
    carrier: CarrierName
    created: datetime
    numbers: PhoneNumbers = field(default_factory=PhoneNumbers)
    carrier_call_id: str = ""
    ai_call_id: str = ""
    route: int | None = None
    """Its place in the file, from 0."""
    unchecked: bool = False
    """Whether nothing proved that it is the carrier's."""
    status: str = ""
    """The last that the carrier's webhooks said."""
    stages: dict[Stage, float] = field(default_factory=dict)
    """When each was reached, s since the first of them."""
    figures: CarrierFigures = field(default_factory=CarrierFigures)
    fallback: FallbackOutcome = ""
    not_hung_up: str = ""
    """Why the carrier's API did not end the phone call, in a sentence; empty if it did, or if that is not its part."""
    ended: datetime | None = None
    end: PhoneEnd | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.end is not None:
            return "ended"
        return "live" if "socket" in self.stages else "waiting"


class History:
    """Calls that go on, and the newest of those that have ended."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._most = most
        self._live: dict[str, PhoneCallRecord] = {}
        self._ended: dict[str, PhoneCallRecord] = {}

    def add(self, record: PhoneCallRecord) -> None:
        """A new call."""
        self._live[record.id] = record

    def ended(self, record: PhoneCallRecord) -> None:
        """A call has ended; if there are too many of those, the oldest goes."""
        self._live.pop(record.id, None)
        self._ended[record.id] = record
        if len(self._ended) > self._most:
            del self._ended[next(iter(self._ended))]

    def forget(self, record: PhoneCallRecord) -> None:
        """A call that was none of its own."""
        self._live.pop(record.id, None)

    def get(self, call_id: str) -> PhoneCallRecord | None:
        """One call."""
        return self._live.get(call_id) or self._ended.get(call_id)

    def find(self, carrier: CarrierName, carrier_call_id: str) -> PhoneCallRecord | None:
        """The newest call with this id of the carrier's."""
        calls = self.newest_first()
        wanted = (carrier, carrier_call_id)
        return next(
            (call for call in calls if (call.carrier, call.carrier_call_id) == wanted), None
        )

    def newest_first(self) -> Iterator[PhoneCallRecord]:
        """Those that go on, then those that have ended."""
        yield from reversed(self._live.values())
        yield from reversed(self._ended.values())


def shown(record: PhoneCallRecord) -> JsonDict:
    """A call as REST shows it, to whoever has an API key."""
    return {
        "id": record.id,
        "state": record.state,
        "carrier": record.carrier,
        "direction": record.numbers.direction,
        "from": record.numbers.caller,
        "to": record.numbers.called,
        "carrierCallId": record.carrier_call_id,
        "aiCallId": record.ai_call_id,
        "route": record.route,
        "unchecked": record.unchecked,
        "status": record.status,
        "created": rfc3339(record.created),
        "ended": None if record.ended is None else rfc3339(record.ended),
        "endReason": None if record.end is None else record.end.reason,
        "endDetail": "" if record.end is None else record.end.detail,
        "fallback": record.fallback,
        "notHungUp": record.not_hung_up,
        "stages": _rounded(record.stages),
        "figures": figures_of(record.figures),
        "interruptions": interruptions_of(record.figures),
    }


def log_line(record: PhoneCallRecord) -> str:
    """A call that has ended as one line of JSON: every figure, and nothing personal."""
    end = record.end or PhoneEnd("system_error")
    overruns = [i.overrun_ms for i in record.figures.interruptions if i.overrun_ms is not None]
    line: JsonDict = {
        "id": record.id,
        "carrier": record.carrier,
        "direction": record.numbers.direction,
        "from": str(Redacted(record.numbers.caller)) if record.numbers.caller else "",
        "to": str(Redacted(record.numbers.called)) if record.numbers.called else "",
        "carrierCallId": str(Redacted(record.carrier_call_id)),
        "aiCallId": record.ai_call_id,
        "route": record.route,
        "unchecked": record.unchecked,
        "status": record.status,
        "endReason": end.reason,
        "endDetail": without_private(end.detail),
        "fallback": record.fallback,
        "notHungUp": record.not_hung_up,
        "stages": _rounded(record.stages),
        **figures_of(record.figures),
        "interruptions": len(record.figures.interruptions),
        "worstOverrunMs": round(max(overruns)) if overruns else None,
    }
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"))


def without_private(text: str) -> str:
    """Foreign words as a log may have them."""
    return _PRIVATE.sub("…", text)


def _rounded(stages: Mapping[Stage, float]) -> JsonDict:
    return {stage: round(at_s, 3) for stage, at_s in stages.items()}
