"""What the metrics page says of calls over WebRTC."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from bridge.calls.rooms import Rooms
from bridge.gateway.metrics import Source, counter, gauge


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

    return read
