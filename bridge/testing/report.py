"""What an emulated call tells of the application: what was heard, how the call ended, what was wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from bridge.batch.figures import Figures, measure
from bridge.testing.phone_call import PhoneCall
from bridge_codecs.pcm import Int16


@dataclass(frozen=True, slots=True)
class ClearSeen:
    """A clear: seconds into the call, what it dropped, and how long the caller still heard something, ms."""

    at_s: float
    dropped_ms: float
    silence_after_ms: float


@dataclass(frozen=True, kw_only=True)
class CallReport:
    """One emulated call that is over.

    Attributes:
        heard: what the caller heard, int16 at ``rate_hz``, from the answer on.
        said: what the caller said, as long.
        heard_s: of the application's own audio, on the media socket, s.
        first_audio_s: from the answer to the first sample of it that was heard; None: there was none.
        gaps_ms: each hole in the application's speech: its audio was not there in time.
        ended_by: ``application``, ``caller``, ``carrier`` or ``network``; ``how`` says it in words.
        problems: mistakes of the application, in sentences.
    """

    carrier: str
    call_id: str
    status: str
    duration_s: float
    rate_hz: int
    heard: Int16
    said: Int16
    heard_s: float
    first_audio_s: float | None
    gaps_ms: Sequence[float]
    clears: Sequence[ClearSeen]
    marks: int
    marks_returned: int
    keys_pressed: str
    keys_received: str
    connected_to: str
    ended_by: str
    how: str
    problems: Sequence[str]
    notes: Sequence[str]

    @cached_property
    def figures(self) -> Figures:
        """Turns, latencies and interruptions, measured from the two sides of the line."""
        return measure(self.said, self.heard, self.rate_hz)

    @property
    def passed(self) -> bool:
        """Whether the call took place and the application made no mistake."""
        return self.status == "completed" and not self.problems and self.duration_s > 0

    def as_dict(self) -> Mapping[str, object]:
        """For JSON: everything but the audio."""
        return {
            "carrier": self.carrier,
            "call_id": self.call_id,
            "status": self.status,
            "passed": self.passed,
            "duration_s": round(self.duration_s, 3),
            "heard_s": round(self.heard_s, 3),
            "first_audio_s": None if self.first_audio_s is None else round(self.first_audio_s, 3),
            "gaps_ms": [round(gap, 1) for gap in self.gaps_ms],
            "clears": [
                {
                    "at_s": round(clear.at_s, 3),
                    "dropped_ms": round(clear.dropped_ms, 1),
                    "silence_after_ms": round(clear.silence_after_ms, 1),
                }
                for clear in self.clears
            ],
            "marks": self.marks,
            "marks_returned": self.marks_returned,
            "keys_pressed": self.keys_pressed,
            "keys_received": self.keys_received,
            "connected_to": self.connected_to,
            "ended_by": self.ended_by,
            "how": self.how,
            "figures": self.figures.as_dict(),
            "problems": list(self.problems),
            "notes": list(self.notes),
        }


def report_of(carrier: str, call: PhoneCall) -> CallReport:
    """The report of a call that is over."""
    ear, log, end = call.ear, call.log, call.end
    per_ms = ear.rate_hz / 1000
    first = ear.stretches[0].start / ear.rate_hz if ear.stretches else None
    unplayed = call.caller.unplayed
    notes = list(log.notes)
    if unplayed:
        notes.append(f"Never said, the application gave no turn for it: {', '.join(unplayed)}.")
    return CallReport(
        carrier=carrier,
        call_id=call.facts.call_id,
        status=call.status,
        duration_s=call.duration_s,
        rate_hz=ear.rate_hz,
        heard=ear.heard(),
        said=ear.said(),
        heard_s=ear.n_heard / ear.rate_hz,
        first_audio_s=first,
        gaps_ms=[(hole.end - hole.start) / per_ms for hole in ear.holes()],
        clears=_clears(call),
        marks=log.count("mark"),
        marks_returned=log.count("mark reached") + sum(clear.marks for clear in ear.clears),
        keys_pressed=_joined(call, "key pressed", "digit"),
        keys_received=_joined(call, "keys from the application", "digits"),
        connected_to=call.connected_to,
        ended_by="" if end is None else end.by,
        how="" if end is None else end.how,
        problems=list(log.problems),
        notes=notes,
    )


def _clears(call: PhoneCall) -> list[ClearSeen]:
    ear = call.ear
    return [
        ClearSeen(
            clear.at_s - ear.started_s,
            1000 * clear.dropped / ear.rate_hz,
            ear.silence_after_ms(clear),
        )
        for clear in ear.clears
    ]


def _joined(call: PhoneCall, what: str, detail: str) -> str:
    return "".join(str(each.details[detail]) for each in call.log.of(what))
