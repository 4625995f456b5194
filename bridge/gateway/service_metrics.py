"""What the metrics page says of the process itself: lateness, memory, connections, who was refused."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client.core import Metric

from bridge.gateway.admission import Admission
from bridge.gateway.drain import Drain
from bridge.gateway.loop_lag import LoopLag
from bridge.gateway.memory import MemoryRoom
from bridge.gateway.metrics import Source, counters, gauge, gauges, histogram

_STATM: Final = Path("/proc/self/statm")


def service_metrics(
    *,
    lag: LoopLag,
    memory: MemoryRoom,
    admission: Admission,
    drain: Drain,
    n_connections: Callable[[], int],
    n_served: Callable[[], int],
) -> Source:
    """A source for the metrics page.

    Args:
        lag: the running measurement of the loop.
        memory: how much of it there is.
        admission: who was refused.
        drain: whether the service is on its way out.
        n_connections: how many connections are open.
        n_served: how many calls the embedded call server has up.
    """

    def read() -> Iterator[Metric]:
        yield histogram(
            "event_loop_lag_seconds",
            "How late a timer of 20 ms fires on the event loop that carries all audio.",
            lag.histogram,
        )
        yield gauge(
            "event_loop_lag_recent_seconds",
            "The same, p95 of the last five seconds: what admission goes by.",
            lag.recent_s(),
        )
        resident = resident_bytes()
        if resident is not None:
            yield gauge("resident_memory_bytes", "Memory that the process holds.", resident)
        yield gauges(
            "memory_limit_bytes",
            "Limits of the memory that the process may have: of its group, its address space, the machine.",
            ["of"],
            {(of,): bound.limit_bytes for of, bound in memory.tightest().items()},
        )
        yield gauges(
            "memory_used_bytes",
            "What counts against each of them, what the kernel takes back by itself left out.",
            ["of"],
            {(of,): bound.used_bytes for of, bound in memory.tightest().items()},
        )
        yield gauge("connections", "Open connections, media sockets included.", n_connections())
        yield gauge("served_calls", "Calls of the embedded call server that are up.", n_served())
        yield gauge("draining", "1 once no new calls are taken any more.", int(drain.begun))
        yield counters(
            "calls_refused",
            "New calls that were not taken, by reason.",
            ["reason"],
            {(reason,): n for reason, n in admission.refused.items()},
        )

    return read


def resident_bytes() -> int | None:
    """Memory that this process holds now; None where there is no /proc."""
    try:
        pages = int(_STATM.read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
