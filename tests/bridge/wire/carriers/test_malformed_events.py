"""Thousands of damaged frames of each carrier: each ends in a documented outcome, and none is lost."""

import json

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    DigitIn,
    Ignored,
    MarkReached,
    Started,
    Stopped,
)
from bridge.wire.carriers.json_wire import JsonWire
from tests.fakes.carrier_dialects import DIALECTS, Dialect
from tests.fakes.carrier_orders import check_bounded
from tests.fakes.mutator import Mutator

FRAMES = 2_500
MANY_FRAMES = 10_000
FRAMES_PER_S = 25  # fast enough for a carrier to be refused for its garbage now and then
AROUND_MEDIA = 6  # of so many frames one is something else

Outcome = CarrierEvent | RemoteWireError


@pytest.mark.parametrize("carrier", DIALECTS, ids=str)
def test_every_damaged_frame_ends_in_a_documented_outcome(carrier: Dialect) -> None:
    outcomes = feed(carrier, seed=1, n_frames=FRAMES)

    # The mutator is worth its name: most frames are broken, and each way out is taken.
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(Ignored) > FRAMES // 4
    assert set(kinds) >= {
        AudioIn,
        AudioMissing,
        DigitIn,
        Ignored,
        MarkReached,
        RemoteWireError,
        Started,
        Stopped,
    }


@pytest.mark.slow
@pytest.mark.parametrize("carrier", DIALECTS, ids=str)
@pytest.mark.parametrize("seed", range(1, 7))
def test_many_times_as_many_do_as_well(carrier: Dialect, seed: int) -> None:
    feed(carrier, seed, MANY_FRAMES)


def feed(carrier: Dialect, seed: int, n_frames: int) -> list[Outcome]:
    """Send damaged frames, to a new socket after each end; check every outcome."""
    mutator, outcomes = Mutator(seed), list[Outcome]()
    wire, fresh = carrier.wire(), True
    others = carrier.all_of_them()
    for number in range(n_frames):
        now_s = number / FRAMES_PER_S
        if fresh and number % 3:  # now and then the start is damaged too
            outcomes += wire.receive_text(json.dumps(carrier.start()), now_s)
        media = number % AROUND_MEDIA
        fields = carrier.media(number) if media else others[number // AROUND_MEDIA % len(others)]
        found = outcomes_of(wire, mutator.mutate(fields), now_s)
        assert all(documented(outcome) for outcome in found)
        outcomes += found
        fresh = any(isinstance(outcome, RemoteWireError | Stopped) for outcome in found)
        if fresh:
            check_the_end(wire, told=any(isinstance(outcome, Stopped) for outcome in found))
            wire = carrier.wire()
    return outcomes


def outcomes_of(wire: JsonWire, text: str, now_s: float) -> list[Outcome]:
    try:
        return list(wire.receive_text(text, now_s))
    except RemoteWireError as exc:
        return [exc]


def documented(outcome: Outcome) -> bool:
    match outcome:
        case RemoteWireError():
            return outcome.close_code in (1008, 1009) and str(outcome).isprintable()
        case Ignored() | CarrierWarning():
            words = outcome.detail if isinstance(outcome, Ignored) else outcome.text
            return words.isprintable() and len(words) < 300
        case Started():
            check_bounded(outcome.info)
        case AudioIn():
            return 0 < len(outcome.payload) < 64 * 1024
        case AudioMissing():
            return 0 < outcome.ms <= 2_000
    return isinstance(outcome, Started | MarkReached | DigitIn | Stopped)


def check_the_end(wire: JsonWire, *, told: bool) -> None:
    """The end comes once, and after it nothing."""
    ends = [*wire.receive_close(1006, "", ours=False), *wire.receive_close(1000, "", ours=False)]
    assert sum(isinstance(event, Stopped) for event in ends) == 1 - told
