"""What the metrics page says of calls over WebRTC."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import Metric

from bridge.calls.rooms import Rooms
from bridge.gateway.metrics import Labels, Source, counter, counters, gauge

_COUNTED: Final = {
    "packets_in": ("packets_received", "Packets of clients' audio."),
    "packets_lost": ("packets_lost", "Packets that never came, or when their time was over."),
    "packets_recovered": ("packets_recovered", "Lost packets that were read from a copy."),
    "packets_late": ("packets_late", "Packets that came when their time was over."),
    "packets_repeated": ("packets_repeated", "Packets that came more than once."),
    "packets_bad": ("packets_bad", "Packets that were no Opus."),
    "underruns": ("underruns", "Holes inside an agent's speech."),
    "late_frames": ("late_frames", "Frames that went out more than 40 ms after their instant."),
}
_TIMED: Final = {
    "concealed_ms": ("concealed_seconds", "Audio that was made up where a packet was missing."),
    "caller_audio_lost_ms": ("caller_audio_lost_seconds", "Audio of callers that was not heard."),
}


def rtc_metrics(rooms: Rooms | None) -> Source:
    """A source for the metrics page; `rooms` None has nothing to say."""

    def read() -> Iterator[Metric]:
        if rooms is None:
            return
        yield gauge("webrtc_calls", "Calls over WebRTC that are up.", rooms.n_open)
        yield gauge(
            "webrtc_calls_away",
            "Of these: calls whose client has no connection now.",
            rooms.n_away,
        )
        yield counter(
            "webrtc_rejoins", "How often a client came back with another connection.", rooms.rejoins
        )
        ended: dict[Labels, float] = {(each,): n for each, n in rooms.ended.items()}
        yield counters(
            "webrtc_calls_ended", "Calls over WebRTC that have ended.", ["transport"], ended
        )
        sums = rooms.sums
        for figure, (name, help_) in _COUNTED.items():
            yield counter(f"webrtc_{name}", help_, sums.get(figure, 0))
        for figure, (name, help_) in _TIMED.items():
            yield counter(f"webrtc_{name}", help_, sums.get(figure, 0) / 1000)

    return read
