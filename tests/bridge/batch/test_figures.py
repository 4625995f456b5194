import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.level import Span
from bridge.batch.figures import find_interruptions, find_turns, measure
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000


def tones(duration_s: float, *stretches_s: tuple[float, float], rate_hz: int = RATE_HZ) -> Int16:
    samples = np.zeros(round(duration_s * rate_hz), np.int16)
    for start_s, end_s in stretches_s:
        start, end = round(start_s * rate_hz), round(end_s * rate_hz)
        wave = 8_000 * np.sin(2 * np.pi * 440 * np.arange(end - start) / rate_hz + 0.5)
        samples[start:end] = wave.astype(np.int16)
    return samples


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("shift_s", [0.0, 0.003_25, 0.007])
def test_latency_of_tones_at_known_samples_is_right_to_10_ms(rate_hz: int, shift_s: float) -> None:
    caller = tones(6, (1 + shift_s, 2 + shift_s), rate_hz=rate_hz)
    agent = tones(6, (2.5, 4), rate_hz=rate_hz)

    figures = measure(caller, agent, rate_hz)

    [turn] = figures.turns
    assert turn.latency_ms == pytest.approx(500 - 1000 * shift_s, abs=10)
    assert turn.caller_start_s == pytest.approx(1 + shift_s, abs=0.01)
    assert turn.caller_end_s == pytest.approx(2 + shift_s, abs=0.01)
    assert turn.response_start_s == pytest.approx(2.5, abs=0.01)


@pytest.mark.parametrize("shift_s", [0.0, 0.003_25, 0.007])
def test_overrun_of_tones_at_known_samples_is_right_to_10_ms(shift_s: float) -> None:
    caller = tones(6, (2 + shift_s, 3.5))
    agent = tones(6, (1, 2.32))

    figures = measure(caller, agent, RATE_HZ)

    [cut] = figures.interruptions
    assert cut.overrun_ms == pytest.approx(320 - 1000 * shift_s, abs=10)
    assert cut.caller_start_s == pytest.approx(2 + shift_s, abs=0.01)
    assert cut.agent_start_s == pytest.approx(1, abs=0.01)


def test_a_pause_of_the_caller_without_an_answer_is_inside_the_turn() -> None:
    caller = [Span(1_000, 2_000), Span(6_000, 7_000)]
    agent = [Span(8_000, 9_000)]

    [turn] = find_turns(caller, agent, 1_000)

    assert (turn.caller_start_s, turn.caller_end_s, turn.latency_ms) == (1.0, 7.0, 1_000.0)


def test_the_caller_who_interrupts_is_answered_by_the_next_speech() -> None:
    caller = [Span(2_000, 3_000)]
    agent = [Span(1_000, 2_300), Span(3_800, 5_000)]

    [turn] = find_turns(caller, agent, 1_000)

    assert turn.latency_ms == 800.0


def test_a_short_word_that_the_agent_outlasts_is_still_one_turn_with_what_follows() -> None:
    caller = [Span(2_000, 2_200), Span(2_900, 3_500)]
    agent = [Span(1_000, 2_500), Span(4_000, 5_000)]

    [turn] = find_turns(caller, agent, 1_000)

    assert (turn.caller_end_s, turn.latency_ms) == (3.5, 500.0)


def test_an_agent_that_cuts_in_has_a_negative_latency() -> None:
    [turn] = find_turns([Span(1_000, 2_000)], [Span(1_900, 3_000)], 1_000)

    assert turn.latency_ms == -100.0


def test_a_turn_nobody_answers_has_no_latency() -> None:
    turns = find_turns([Span(1_000, 2_000), Span(4_000, 5_000)], [Span(2_500, 3_000)], 1_000)

    assert [turn.latency_ms for turn in turns] == [500.0, None]


def test_a_caller_who_starts_twice_in_one_speech_interrupts_it_once() -> None:
    cuts = find_interruptions([Span(2_000, 2_100), Span(2_500, 2_600)], [Span(1_000, 3_000)], 1_000)

    assert [cut.overrun_ms for cut in cuts] == [1_000.0]


@pytest.mark.parametrize("onset", [1_000, 3_000])
def test_a_caller_who_starts_with_the_agent_or_at_its_end_interrupts_nobody(onset: int) -> None:
    assert not find_interruptions([Span(onset, 4_000)], [Span(1_000, 3_000)], 1_000)


def test_silence_has_no_turns_and_an_empty_call_has_no_length() -> None:
    silent = measure(tones(2), tones(2), RATE_HZ)
    empty = measure(tones(0), tones(0), RATE_HZ)

    assert (silent.turns, silent.interruptions, silent.first_agent_sample_s) == ((), (), None)
    assert empty.duration_s == 0.0


def test_figures_go_into_json_with_median_and_maximum() -> None:
    caller = tones(8, (1, 2), (4, 5))
    agent = tones(8, (2.5, 3.5), (5.9, 7))

    figures = json.loads(json.dumps(measure(caller, agent, RATE_HZ, underruns=3).as_dict()))

    assert figures["latency_median_ms"] == pytest.approx(700, abs=10)
    assert figures["latency_max_ms"] == pytest.approx(900, abs=10)
    assert figures["underruns"] == 3


@st.composite
def stretches(draw: st.DrawFn) -> list[Span]:
    edges = sorted(draw(st.sets(st.integers(0, 200), max_size=20)))
    return [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@given(stretches(), stretches())
def test_any_two_channels_give_turns_in_order_that_hold_all_of_the_caller(
    caller: list[Span], agent: list[Span]
) -> None:
    turns = find_turns(caller, agent, 1)
    cuts = find_interruptions(caller, agent, 1)

    assert all(a.caller_end_s <= b.caller_start_s for a, b in pairwise(turns))
    starts = {turn.caller_start_s for turn in turns}
    assert starts <= {float(span.start) for span in caller}
    assert all(any(t.caller_start_s <= s.start < t.caller_end_s for t in turns) for s in caller)
    assert all(cut.overrun_ms > 0 for cut in cuts)
