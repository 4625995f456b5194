"""What is counted of one call over WebRTC that we serve: how it sounded, over all connections that its client had.

Each connection counts for itself, in its ear; the call has the sums of those that are over and of the one that is
there. The voice is the call's own and counts through.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from bridge.legs.webrtc.ear import EarFigures
    from bridge.legs.webrtc.voice import VoiceFigures

Transport: TypeAlias = Literal["v0", "v1", "whip"]
"""LiveKit's signalling in either version, or one exchange of offer and answer."""

COUNTED: Final = (
    *("packets_in", "packets_lost", "packets_recovered", "packets_late", "packets_repeated"),
    *("packets_bad", "underruns", "late_frames"),
)
"""Figures that are numbers of something."""
TIMED_MS: Final = ("concealed_ms", "caller_audio_lost_ms")
"""Figures that are milliseconds."""


class LinkFigures(NamedTuple):
    """Of one connection."""

    transport: Transport
    client: str = ""
    """``js 2.23.0``; empty where it does not say."""
    ear: "EarFigures | None" = None
    """What was heard by it; None before there is an ear."""


@dataclass(slots=True)
class RtcFigures:
    """The figures of one call."""

    packets_in: int = 0
    packets_lost: int = 0
    """Numbers that were passed over in what was heard: lost on the way, or late."""
    packets_recovered: int = 0
    """Of these: read from the copy in the packet after them."""
    packets_late: int = 0
    """Came when their time was over."""
    packets_repeated: int = 0
    packets_bad: int = 0
    """Were no Opus."""
    concealed_ms: float = 0.0
    """Made up, or recovered, where a packet was due and not there; also where the client paused without a word."""
    caller_audio_lost_ms: float = 0.0
    """The caller's audio that was not heard: lost and not recovered, or too much at once."""
    depth_ms: float = 0.0
    """How long the last packet waited for one before it."""
    depth_max_ms: float = 0.0
    rejoins: int = 0
    underruns: int = 0
    """Holes inside the agent's speech."""
    late_frames: int = 0
    """Frames to the client more than 40 ms after their instant."""
    first_agent_audio_s: float | None = None
    """From the client's first connection to the agent's first sound, s."""
    transport: Transport | None = None
    """Of the last connection; None if there was none."""
    client: str = ""

    def add(self, link: LinkFigures) -> None:
        """A connection is over, and is the last one until there is another."""
        self.transport, self.client = link.transport, link.client
        ear = link.ear
        if ear is None:
            return
        self.packets_in += ear.received
        self.packets_lost += ear.lost
        self.packets_recovered += ear.recovered
        self.packets_late += ear.late
        self.packets_repeated += ear.repeated
        self.packets_bad += ear.bad
        self.concealed_ms += ear.concealed_ms
        self.caller_audio_lost_ms += ear.missed_ms
        self.depth_ms = ear.depth_ms
        self.depth_max_ms = max(self.depth_max_ms, ear.depth_max_ms)

    def with_link(self, link: LinkFigures | None) -> "RtcFigures":
        """These and what a connection that is there has counted so far."""
        both = replace(self)
        if link is not None:
            both.add(link)
        return both

    def count_voice(self, voice: "VoiceFigures", joined_s: float) -> None:
        """What the voice has counted, all of it; `joined_s`: when the client first came, loop time."""
        self.underruns, self.late_frames = voice.underruns, voice.late
        if voice.first_s is not None:
            self.first_agent_audio_s = max(0.0, voice.first_s - joined_s)


def figures_of(figures: RtcFigures) -> dict[str, object]:
    """The figures of a call as plain JSON."""
    first_s = figures.first_agent_audio_s
    return {
        "transport": figures.transport,
        "client": figures.client,
        "rejoins": figures.rejoins,
        "packetsIn": figures.packets_in,
        "packetsLost": figures.packets_lost,
        "packetsRecovered": figures.packets_recovered,
        "packetsLate": figures.packets_late,
        "packetsRepeated": figures.packets_repeated,
        "packetsBad": figures.packets_bad,
        "concealedMs": round(figures.concealed_ms),
        "callerAudioLostMs": round(figures.caller_audio_lost_ms),
        "jitterBufferMs": round(figures.depth_ms),
        "jitterBufferMaxMs": round(figures.depth_max_ms),
        "underruns": figures.underruns,
        "lateFrames": figures.late_frames,
        "firstAgentAudio": None if first_s is None else round(first_s, 3),
    }
