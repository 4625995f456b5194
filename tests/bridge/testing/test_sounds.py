import io

import numpy as np
import pytest
import soundfile

from bridge.testing.sounds import MAX_SOUND_S, Sound, recording, ringing, spoken
from tests.fakes.bot import tone


def wav(rate_hz: int, channels: int = 1, form: str = "WAV") -> bytes:
    written = io.BytesIO()
    samples = np.stack([tone(1.0, 440, rate_hz=rate_hz)] * channels, axis=1)
    soundfile.write(written, samples, rate_hz, format=form)
    return written.getvalue()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize(("channels", "form"), [(1, "WAV"), (2, "WAV"), (1, "FLAC"), (1, "MP3")])
def test_a_fetched_recording_is_at_the_lines_rate(rate_hz: int, channels: int, form: str) -> None:
    samples = recording(wav(rate_hz, channels, form), 8_000)

    assert samples is not None
    assert samples.dtype == np.int16
    assert samples.size == pytest.approx(8_000, rel=0.2)


@pytest.mark.parametrize("content", [b"", b"RIFF", b"<html>no</html>", b"\x00" * 4_000])
def test_what_is_no_recording_is_none(content: bytes) -> None:
    assert recording(content, 8_000) is None


def test_a_sound_is_played_once_and_none_of_it_is_the_streams() -> None:
    sound = Sound(tone(0.03))
    first, second, third = (sound.play(160) for _ in range(3))

    assert np.array_equal(np.concatenate([first.samples, second.samples])[:240], tone(0.03))
    assert not third.samples.any()
    assert first.n_real == 0


def test_speech_and_ringing_last_as_long_as_they_should_and_no_longer_than_a_minute() -> None:
    assert spoken("hello", 8_000).size == 2_400
    assert spoken("x" * 100_000, 8_000).size == MAX_SOUND_S * 8_000
    assert ringing(2.0, 8_000).size == 16_000
