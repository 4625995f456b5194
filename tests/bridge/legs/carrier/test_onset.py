import numpy as np
import pytest

from bridge.legs.carrier.codec import encoder
from bridge.legs.carrier.onset import KEPT_S, RECENT_S, RecentAudio
from bridge.wire.carriers.base import MediaFormat
from bridge_codecs.pcm import Int16

FORMATS = [
    MediaFormat("ulaw", 8_000),
    MediaFormat("l16be", 16_000),
    MediaFormat("g722", 16_000),
    MediaFormat("opus", 16_000),
]


def noise(seconds: float, rate_hz: int, level: float) -> Int16:
    made = np.random.default_rng(1).normal(0, level, round(seconds * rate_hz))
    return made.astype(np.int16)


def recent(audio: MediaFormat, *said: Int16) -> RecentAudio:
    kept, encode = RecentAudio(audio), encoder(audio, 20)
    samples = np.concatenate(said)
    frame = audio.rate_hz // 50
    for begin in range(0, samples.size - frame + 1, frame):
        kept.add(encode(samples[begin : begin + frame]))
    return kept


def ago_s(kept: RecentAudio, began_ago_s: float = 10.0, idle_s: float = 0.0) -> float | None:
    """How long before the cut the onset lies; nothing was heard for ``idle_s`` before it."""
    onset_s = kept.onset_s(100.0, 100.0 + idle_s - began_ago_s, 100.0 + idle_s)
    return None if onset_s is None else 100.0 + idle_s - onset_s


@pytest.mark.parametrize("audio", FORMATS, ids=lambda a: a.encoding)
@pytest.mark.parametrize("spoke_s", [0.1, 0.5, 1.5])
def test_the_onset_is_found_where_the_caller_began(audio: MediaFormat, spoke_s: float) -> None:
    hz = audio.rate_hz
    kept = recent(audio, noise(4, hz, 20), noise(spoke_s, hz, 3_000))

    assert ago_s(kept) == pytest.approx(spoke_s, abs=0.03)


def test_of_two_stretches_the_last_one_counts() -> None:
    audio = FORMATS[0]
    kept = recent(
        audio, noise(1, 8_000, 20), noise(0.4, 8_000, 3_000), noise(0.6, 8_000, 20),
        noise(0.2, 8_000, 3_000),
    )  # fmt: skip

    assert ago_s(kept) == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize("idle_s", [0.0, 0.2])
@pytest.mark.parametrize(("silent_s", "counts"), [(RECENT_S - 0.1, True), (RECENT_S + 0.1, False)])
def test_a_caller_who_has_been_silent_for_a_while_did_not_interrupt(
    silent_s: float, idle_s: float, counts: bool
) -> None:
    kept = recent(
        FORMATS[0], noise(2, 8_000, 20), noise(0.3, 8_000, 3_000),
        noise(silent_s - idle_s, 8_000, 20),
    )  # fmt: skip

    assert (ago_s(kept, idle_s=idle_s) is not None) == counts


@pytest.mark.parametrize(("began_ago_s", "onset_ago_s"), [(0.15, None), (0.3, 0.3), (2.0, 1.2)])
def test_the_onset_never_lies_before_the_beginning_of_what_was_interrupted(
    began_ago_s: float, onset_ago_s: float | None
) -> None:
    kept = recent(
        FORMATS[0], noise(1, 8_000, 20), noise(1, 8_000, 3_000), noise(0.2, 8_000, 20)
    )  # fmt: skip

    assert ago_s(kept, began_ago_s) == (
        None if onset_ago_s is None else pytest.approx(onset_ago_s, abs=0.03)
    )


@pytest.mark.parametrize("level", [0.0, 3_000.0])
def test_a_line_without_change_has_no_onset(level: float) -> None:
    assert ago_s(recent(FORMATS[0], noise(4, 8_000, level))) is None


def test_nothing_heard_has_no_onset() -> None:
    assert ago_s(RecentAudio(FORMATS[0])) is None


def test_what_cannot_be_decoded_is_left_out() -> None:
    kept = RecentAudio(MediaFormat("l16le", 8_000))
    kept.add(b"odd")

    assert ago_s(kept) is None


@pytest.mark.parametrize("size", [1, 160, 65_536])
def test_what_is_kept_is_bounded_whatever_the_size_of_a_payload(size: int) -> None:
    kept = RecentAudio(FORMATS[0])
    for _ in range(200_000 // size + 2):
        kept.add(bytes(size))
    kept.trim()

    assert sum(map(len, kept._payloads)) <= KEPT_S * 8_000
