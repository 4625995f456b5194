from dataclasses import dataclass, field

from bridge.gateway.metrics import Metrics
from bridge.gateway.phone_metrics import phone_metrics
from bridge.gateway.phone_totals import COUNTED, TIMED_MS, PhoneTotals
from bridge.legs.carrier.figures import CarrierFigures, Interruption
from tests.bridge.gateway.test_metrics import samples


@dataclass
class Call:
    """A phone call as the metrics see it."""

    carrier: str = "twilio"
    state: str = "live"
    figures: CarrierFigures = field(default_factory=CarrierFigures)


def page(totals: PhoneTotals, *live: Call) -> dict[tuple[str, tuple[str, ...]], float]:
    return samples(Metrics([phone_metrics(totals, lambda: live)]).page()[0])


def test_live_calls_are_counted_by_carrier_and_state() -> None:
    read = page(PhoneTotals(), Call(), Call(), Call(state="joining"), Call("plivo", "fallback"))

    assert read[("tipring_calls", ("twilio", "live"))] == 2
    assert read[("tipring_calls", ("twilio", "joining"))] == 1
    assert read[("tipring_calls", ("plivo", "fallback"))] == 1


def test_the_sums_do_not_fall_when_a_call_ends() -> None:
    totals = PhoneTotals()
    ending = Call(figures=CarrierFigures(underruns=2, clears=3, caller_audio_lost_ms=1_500))
    other = Call(figures=CarrierFigures(underruns=1, marks_sent=5, marks_back=2))
    ending.figures.ignored["bad"] = 4
    before = page(totals, ending, other)

    totals.end(ending, "caller_hung_up")
    after = page(totals, other)

    assert before[("tipring_underruns_total", ("twilio",))] == 3
    assert before[("tipring_caller_audio_lost_seconds_total", ("twilio",))] == 1.5
    assert before[("tipring_messages_ignored_total", ("twilio", "bad"))] == 4
    assert before[("tipring_marks_outstanding", ("twilio",))] == 3
    assert after[("tipring_calls_ended_total", ("twilio", "caller_hung_up"))] == 1
    rising = {key: value for key, value in before.items() if key[0].endswith("_total")}
    assert {key: after[key] for key in rising} == rising


def test_times_go_into_histograms() -> None:
    totals = PhoneTotals()
    totals.stage("answer", 0.02)
    totals.stage("answer", 0.03)
    totals.stage("join", 0.2)
    totals.lateness.observe(0.004)
    totals.clear_latency.observe(0.001)
    figures = CarrierFigures(first_agent_audio_s=0.7)
    figures.interruptions.append(Interruption(1, "a", "b", 300, 250))
    figures.interruptions.append(Interruption(2, "a", "b", 300, None))
    totals.end(Call(figures=figures), "agent_hung_up")
    totals.end(Call(), "agent_hung_up")

    read = page(totals)

    assert read[("tipring_setup_stage_seconds_count", ("answer",))] == 2
    assert read[("tipring_setup_stage_seconds_sum", ("join",))] == 0.2
    assert read[("tipring_first_audio_seconds_count", ())] == 1
    assert read[("tipring_frame_lateness_seconds_bucket", ("0.005",))] == 1
    assert read[("tipring_clear_latency_seconds_bucket", ("0.001",))] == 1
    assert read[("tipring_interruption_overrun_seconds_sum", ())] == 0.25


def test_every_number_of_a_call_is_on_the_page() -> None:
    totals = PhoneTotals()
    figures = CarrierFigures(**dict.fromkeys((*COUNTED, *TIMED_MS), 1))  # type: ignore[arg-type] # numbers all
    totals.end(Call(figures=figures), "lost")

    values = [v for (name, labels), v in page(totals).items() if labels == ("twilio",)]

    assert values.count(1) == len(COUNTED)
    assert values.count(0.001) == len(TIMED_MS)
    numbers = {
        name
        for name in CarrierFigures.__slots__
        if isinstance(getattr(CarrierFigures(), name), int | float)
    }
    assert numbers == {*COUNTED, *TIMED_MS}
