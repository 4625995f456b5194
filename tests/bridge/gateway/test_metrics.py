import re
from collections.abc import Iterator

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families

from bridge.gateway.metrics import (
    Metrics,
    counter,
    counters,
    gauge,
    gauges,
    histogram,
    histograms,
)
from bridge.stats import Histogram


def seen(*figures: float) -> Histogram:
    made = Histogram([0.01, 0.1])
    for figure in figures:
        made.observe(figure)
    return made


def source() -> Iterator[Metric]:
    yield gauge("calls", "Calls.", 3)
    yield gauges("lines", "Lines.", ["carrier"], {("twilio",): 2, ('a"\n\\',): 1})
    yield counter("clears", "Clears.", 7)
    yield counters("ended", "Ended.", ["carrier", "reason"], {("telnyx", "hangup"): 4})
    yield histogram("wait_seconds", "Waits.", seen(0.005, 0.01, 0.05, 2))
    yield histograms("stage_seconds", "Stages.", ["stage"], {("ai",): seen(0.05), ("b",): seen()})


def samples(page: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a scraper reads."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_a_scraper_reads_what_the_sources_say() -> None:
    page, content_type = Metrics([source, lambda: [gauge("more", "More.", 1)]]).page()

    read = samples(page)
    assert content_type.startswith("text/plain; version=0.0.4")
    assert read[("tipring_calls", ())] == 3
    assert read[("tipring_lines", ('a"\n\\',))] == 1
    assert read[("tipring_clears_total", ())] == 7
    assert read[("tipring_ended_total", ("telnyx", "hangup"))] == 4
    assert read[("tipring_more", ())] == 1


def test_the_ranges_of_a_histogram_are_cumulated() -> None:
    read = samples(Metrics([source]).page()[0])

    buckets = [read[("tipring_wait_seconds_bucket", (bound,))] for bound in ("0.01", "0.1", "+Inf")]
    assert buckets == [2, 3, 4]
    assert read[("tipring_wait_seconds_count", ())] == 4
    assert read[("tipring_wait_seconds_sum", ())] == 2.065
    assert read[("tipring_stage_seconds_count", ("ai",))] == 1
    assert read[("tipring_stage_seconds_count", ("b",))] == 0


def test_sources_are_read_anew_for_each_page() -> None:
    values = iter([1, 2])
    metrics = Metrics([lambda: [gauge("n", "N.", next(values))]])

    assert [samples(metrics.page()[0])[("tipring_n", ())] for _ in range(2)] == [1, 2]


def test_a_scraper_may_ask_for_the_open_form() -> None:
    page, content_type = Metrics([source]).page("application/openmetrics-text; version=1.0.0")

    assert content_type.startswith("application/openmetrics-text")
    assert page.endswith(b"# EOF\n")


def test_every_name_is_ours_and_plain() -> None:
    names = {name for name, _ in samples(Metrics([source]).page()[0])}

    assert all(re.fullmatch("tipring_[a-z_]+", name) for name in names)
