"""The metrics page: Prometheus' text format, made when it is asked for.

Nothing is done per frame or per call for it. Parts of the service give sources, functions that read counters which are
there anyway; names begin with ``tipring_`` and end with their unit. Labels are carriers, states, stages and reasons:
never a number, a call's id or anything else that a caller chooses. Formats: prometheus.io, "Exposition formats";
names: "Metric and label naming".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bridge.stats import Histogram

PREFIX: Final = "tipring_"

Source: TypeAlias = Callable[[], Iterable[Metric]]
"""Reads figures at the moment it is called."""
Labels: TypeAlias = tuple[str, ...]


class Metrics(Collector):
    """All sources of the service as one page."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)

    def collect(self) -> Iterator[Metric]:
        """All figures as they are now."""
        for source in self._sources:
            yield from source()

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """The page and its content type; an Accept header may ask for the OpenMetrics form."""
        encode, content_type = choose_encoder(accept)
        return encode(_Read(list(self.collect()))), content_type


class _Read(Collector):
    """Figures that have been read."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> list[Metric]:
        return self._metrics


def gauge(name: str, help_: str, value: float) -> Metric:
    """A figure that goes up and down."""
    return GaugeMetricFamily(PREFIX + name, help_, value=value)


def gauges(name: str, help_: str, labels: Sequence[str], values: Mapping[Labels, float]) -> Metric:
    """A figure that goes up and down, for each combination of labels."""
    family = GaugeMetricFamily(PREFIX + name, help_, labels=labels)
    for combination, value in values.items():
        family.add_metric(combination, value)
    return family


def counter(name: str, help_: str, value: float) -> Metric:
    """A figure that only rises; the name without ``_total``, which is added."""
    return CounterMetricFamily(PREFIX + name, help_, value=value)


def counters(
    name: str, help_: str, labels: Sequence[str], values: Mapping[Labels, float]
) -> Metric:
    """A figure that only rises, for each combination of labels."""
    family = CounterMetricFamily(PREFIX + name, help_, labels=labels)
    for combination, value in values.items():
        family.add_metric(combination, value)
    return family


def histogram(name: str, help_: str, seen: Histogram) -> Metric:
    """How often a figure fell into which range."""
    return histograms(name, help_, (), {(): seen})


def histograms(
    name: str, help_: str, labels: Sequence[str], seen: Mapping[Labels, Histogram]
) -> Metric:
    """The same for each combination of labels."""
    family = HistogramMetricFamily(PREFIX + name, help_, labels=labels)
    for combination, each in seen.items():
        family.add_metric(combination, _cumulated(each), each.total)
    return family


def _cumulated(seen: Histogram) -> list[tuple[str, float]]:
    buckets: list[tuple[str, float]] = []
    n = 0
    for bound, count in zip((*map(str, seen.bounds), "+Inf"), seen.counts, strict=True):
        n += count
        buckets.append((bound, n))
    return buckets
