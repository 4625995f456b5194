"""The progress detector against the tones we make and worse ones, each limit from both sides; speech and noise."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge.brains.speech.espeak import EspeakOptions, EspeakVoice
from bridge.virtual import run_virtual
from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16
from bridge_codecs.progress_detector import Progress, ProgressDetector
from bridge_codecs.tones import KEYS, Region, Tone, dtmf, progress_tone

RATE_HZ = 8_000
RECORDINGS = Path(__file__).parents[2] / "bridge" / "assets" / "recordings"
TONES: list[tuple[Region, Tone]] = [
    (region, tone)
    for region in ("us", "eu")
    for tone in ("dial", "ringback", "busy", "congestion", "sit")
]
# How long after its beginning each is certain, s, at most.
CERTAIN_S: dict[tuple[Region, Tone], float] = {
    ("us", "dial"): 1.1,
    ("eu", "dial"): 2.1,
    ("us", "ringback"): 1.1,
    ("eu", "ringback"): 1.85,
    ("us", "busy"): 1.2,
    ("eu", "busy"): 1.2,
    ("us", "congestion"): 0.7,
    ("eu", "congestion"): 0.7,
    ("us", "sit"): 0.95,
    ("eu", "sit"): 0.95,
}
PAIRS = {"dial": (350, 440), "ringback": (440, 480), "busy": (480, 620), "congestion": (480, 620)}
ON_OFF = {"ringback": (2.0, 4.0), "busy": (0.5, 0.5), "congestion": (0.25, 0.25)}
EU_RING = (1.0, 4.0)
# Where in a hop of 320 samples a tone begins.
STARTS = [800, 897, 1_091]

Float64 = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """How a tone comes over a line: the level of each frequency, twist, parts beside, tempo, noise."""

    dbfs: float = -19.0
    twist_db: float = 0.0
    beside: float = 0.0
    tempo: float = 1.0
    noise_db: float | None = None


def tone_of(region: Region, kind: Tone, line: Line, seconds: float, skipped_s: float) -> Float64:
    """Hard edges, and in the middle of a cadence if `skipped_s` says so."""
    hz = PAIRS[kind] if region == "us" else (425,)
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    half = line.twist_db / 2 if len(hz) == 2 else 0.0
    made = np.zeros(time_s.size)
    for frequency, level in zip(hz, (line.dbfs - half, line.dbfs + half), strict=False):
        turns = frequency * (1 + line.beside) * time_s + 0.3 * frequency
        made += 32_768 * np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * turns)
    if kind == "dial":
        return made
    on_s, off_s = EU_RING if (region, kind) == ("eu", "ringback") else ON_OFF[kind]
    phase_s = (time_s + skipped_s) % ((on_s + off_s) / line.tempo)
    return made * (phase_s < on_s / line.tempo)


def heard(
    region: Region, kind: Tone, line: Line, *, start: int = 800, skip: float = 0.0
) -> list[str]:
    """What is heard in 9 s of a tone that came over a line in mu-law."""
    made = np.concatenate([np.zeros(start), tone_of(region, kind, line, 9, skip)])
    if line.noise_db is not None:
        power = 10 ** (line.dbfs / 10) * (2 if region == "us" else 1) / 10 ** (line.noise_db / 10)
        noise = np.random.default_rng(start).standard_normal(made.size)
        made = made + noise * np.sqrt(power) * 32_768
    received = decode_ulaw(encode_ulaw(np.clip(np.rint(made), -32_768, 32_767).astype(np.int16)))
    return [progress.kind for progress in ProgressDetector().push(received)]


@pytest.mark.parametrize(("region", "kind"), TONES)
@pytest.mark.parametrize("start", STARTS)
def test_what_we_make_is_heard_once_where_it_begins_and_in_time(
    region: Region, kind: Tone, start: int
) -> None:
    made = progress_tone(kind, region, RATE_HZ, 20 * RATE_HZ)
    detector, found = ProgressDetector(), []

    for samples in np.split(
        np.concatenate([np.zeros(start, np.int16), made]), range(160, 160_000, 160)
    ):
        found += [
            (progress, detector_s) for progress in detector.push(samples) for detector_s in [0]
        ]

    [(progress, _)] = found
    assert progress.kind == kind
    assert progress.start == pytest.approx(start, abs=0.025 * RATE_HZ)


@pytest.mark.parametrize(("region", "kind"), TONES)
def test_each_is_certain_as_soon_as_it_says(region: Region, kind: Tone) -> None:
    seconds = CERTAIN_S[region, kind]
    made = progress_tone(kind, region, RATE_HZ, round(seconds * RATE_HZ))

    assert [progress.kind for progress in ProgressDetector().push(made)] == [kind]
    assert ProgressDetector().push(made[: round(0.8 * made.size)]) == []


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("region", ["us", "eu"])
def test_every_rate_is_as_good(rate_hz: int, region: Region) -> None:
    for kind in ("dial", "busy", "sit"):
        made = progress_tone(kind, region, rate_hz, 3 * rate_hz)

        [progress] = ProgressDetector(rate_hz).push(made)
        assert progress.kind == kind
        assert progress.start == pytest.approx(0, abs=0.025 * rate_hz)


@pytest.mark.parametrize(("region", "kind"), [each for each in TONES if each[1] != "sit"])
@pytest.mark.parametrize(
    "line",
    [
        Line(dbfs=-36.0),
        Line(dbfs=-16.0),
        Line(noise_db=15.0),
        Line(dbfs=-36.0, noise_db=15.0),
        Line(twist_db=8.0, noise_db=15.0),
        Line(twist_db=-8.0, noise_db=15.0),
        Line(beside=0.01, noise_db=15.0),
        Line(beside=-0.01, noise_db=15.0),
        Line(tempo=0.9, noise_db=15.0),
        Line(tempo=1.1, noise_db=15.0),
    ],
    ids=str,
)
def test_a_bad_line_is_no_hindrance(region: Region, kind: Tone, line: Line) -> None:
    for number, start in enumerate(STARTS):
        assert heard(region, kind, line, start=start, skip=0.71 * number) == [kind]


@pytest.mark.parametrize("kind", ["dial", "ringback", "busy", "congestion"])
@pytest.mark.parametrize(
    "line",
    [Line(dbfs=-46.0), Line(twist_db=12.0), Line(beside=0.025), Line(beside=-0.025)],
    ids=str,
)
def test_what_is_too_faint_too_uneven_or_too_far_beside_is_not_heard(
    kind: Tone, line: Line
) -> None:
    assert heard("us", kind, line) == []


@pytest.mark.parametrize("beside", [0.025, -0.025])
def test_one_frequency_too_far_beside_is_not_heard_either(beside: float) -> None:
    for kind in ("dial", "ringback", "busy", "congestion"):
        assert heard("eu", kind, Line(beside=beside)) == []


@pytest.mark.parametrize("region", ["us", "eu"])
def test_another_rhythm_is_neither_busy_nor_congestion(region: Region) -> None:
    assert heard(region, "busy", Line(tempo=1.37)) == []
    assert heard(region, "busy", Line(tempo=2.0)) == ["congestion"]
    assert heard(region, "congestion", Line(tempo=0.5)) == ["busy"]
    assert heard(region, "congestion", Line(tempo=2.5)) == []


def test_a_tone_that_goes_on_is_reported_once_and_again_after_a_rest() -> None:
    minute = progress_tone("ringback", "us", RATE_HZ, 50 * RATE_HZ)
    detector, rest = ProgressDetector(), np.zeros(10 * RATE_HZ, np.int16)

    assert len(detector.push(minute)) == 1
    assert len(detector.push(rest)) == 0
    assert len(detector.push(minute)) == 1


def test_a_dial_tone_of_a_minute_is_reported_once() -> None:
    made = progress_tone("dial", "eu", RATE_HZ, 60 * RATE_HZ)

    assert len(ProgressDetector().push(made)) == 1


def test_ringing_and_then_busy_are_both_heard() -> None:
    made = [progress_tone(kind, "eu", RATE_HZ, 9 * RATE_HZ) for kind in ("ringback", "busy", "sit")]

    found = ProgressDetector().push(np.concatenate(made))

    assert [progress.kind for progress in found] == ["ringback", "busy", "sit"]


def test_speech_in_the_gap_is_not_a_gap() -> None:
    ring = progress_tone("ringback", "eu", RATE_HZ, 4 * RATE_HZ, dbfs=-30.0).copy()
    speech, _ = soundfile.read(RECORDINGS / "elephants.flac", dtype="int16")
    ring[RATE_HZ : 3 * RATE_HZ] = speech[: 2 * RATE_HZ]

    assert ProgressDetector().push(ring[: 3 * RATE_HZ]) == []


@pytest.mark.parametrize("steps", [(950, 1_400), (1_800, 1_400, 950), (950, 1_800), (1_400, 1_800)])
def test_other_steps_are_no_special_information(steps: tuple[int, ...]) -> None:
    at = np.arange(round(0.33 * RATE_HZ)) / RATE_HZ
    made = np.concatenate([*(4_000 * np.sin(2 * np.pi * hz * at) for hz in steps), np.zeros(8_000)])

    assert ProgressDetector().push(made.astype(np.int16)) == []


@pytest.mark.parametrize("beside_hz", [-45, 45])
def test_special_information_may_be_50_hz_beside(beside_hz: int) -> None:
    at = np.arange(round(0.33 * RATE_HZ)) / RATE_HZ
    made = [4_000 * np.sin(2 * np.pi * (hz + beside_hz) * at) for hz in (950, 1_400, 1_800)]

    found = ProgressDetector().push(np.concatenate(made).astype(np.int16))

    assert [progress.kind for progress in found] == ["sit"]


@given(cuts=st.lists(st.integers(0, 24_000), max_size=12))
def test_the_tones_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    detector, made = ProgressDetector(), progress_tone("busy", "us", RATE_HZ, 24_000)

    chunks = np.split(made, sorted(cuts))

    assert [progress for chunk in chunks for progress in detector.push(chunk)] == busy()


@cache
def busy() -> list[Progress]:
    found = ProgressDetector().push(progress_tone("busy", "us", RATE_HZ, 24_000))
    assert [progress.kind for progress in found] == ["busy"]
    return found


def test_after_a_reset_positions_count_from_zero_again() -> None:
    detector, made = ProgressDetector(), progress_tone("busy", "us", RATE_HZ, 24_000)
    detector.push(made[:3_333])

    detector.reset()

    assert detector.push(made) == busy()


def test_what_was_pushed_may_be_overwritten() -> None:
    detector, made = ProgressDetector(), progress_tone("busy", "us", RATE_HZ, 24_000)
    buffer, found = np.zeros(50, np.int16), []

    for at in range(0, made.size, 50):
        buffer[:] = made[at : at + 50]
        found += detector.push(buffer)

    assert found == busy()


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.flac")), ids=lambda path: path.stem)
def test_recorded_speech_gives_no_tones(path: Path) -> None:
    samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)

    for channel in samples.T:
        assert ProgressDetector(rate_hz).push(np.ascontiguousarray(channel)) == []


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-us+m7"])
def test_long_vowels_of_a_made_voice_give_no_tones(voice: str) -> None:
    text = "Who knew you moved to the new zoo soon, Sue? Hmm. No one knows. Ooooh! Boo! Moo! " * 4

    async def spoken() -> Int16:
        speaker = EspeakVoice(EspeakOptions(voice, words_per_minute=90, pitch=70))
        try:
            return (await speaker.say(text)).samples
        finally:
            await speaker.close()

    samples = run_virtual(spoken())

    assert samples.size > 30 * EspeakVoice.rate_hz
    assert ProgressDetector(EspeakVoice.rate_hz).push(samples) == []


@pytest.mark.parametrize("level", [1, 300, 8_000])
def test_a_minute_of_noise_gives_no_tones(level: int) -> None:
    noise = np.random.default_rng(7).standard_normal(60 * RATE_HZ) * level

    assert ProgressDetector().push(np.clip(noise, -32_768, 32_767).astype(np.int16)) == []


def test_keys_and_a_sweep_give_no_tones() -> None:
    at = np.arange(30 * RATE_HZ) / RATE_HZ
    sweep = (5_000 * np.sin(2 * np.pi * (200 * at + 30 * at**2))).astype(np.int16)

    assert ProgressDetector().push(dtmf("".join(KEYS), RATE_HZ, tone_s=0.5)) == []
    assert ProgressDetector().push(sweep) == []


@given(st.binary(max_size=8_000))
def test_any_samples_are_taken(payload: bytes) -> None:
    samples = np.frombuffer(payload[: len(payload) // 2 * 2], np.int16)

    assert ProgressDetector().push(samples) == []


@pytest.mark.parametrize("rate_hz", [0, -8_000, 8_001, 96_000])
def test_a_rate_it_cannot_hear_at_raises_codec_error(rate_hz: int) -> None:
    with pytest.raises(CodecError, match="tones are heard at 8000"):
        ProgressDetector(rate_hz)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 2), np.int16)])
def test_what_is_not_one_row_of_int16_raises_codec_error(wrong: Int16) -> None:
    with pytest.raises(CodecError, match="one row of int16"):
        ProgressDetector().push(wrong)
