"""The recordings that callers hear when there is no AI to talk to: read once, when the service starts."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from bridge.errors import ConfigError
from bridge.phone_config import FallbackConfig
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

SHIPPED: Final = Path(__file__).parents[2] / "assets" / "prompts" / "unavailable.flac"
RATE_HZ: Final = 16_000
"""Of what is kept; the relay brings it to the carrier's."""
MAX_S: Final = 60.0
"""Nobody listens longer to a voice that has no answer."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What a caller hears."""

    samples: Int16
    rate_hz: int = RATE_HZ

    @property
    def duration_s(self) -> float:
        """How long it is, s."""
        return self.samples.size / self.rate_hz


async def load_recordings(fallbacks: Iterable[FallbackConfig]) -> Mapping[Path, Recording]:
    """All recordings that these name, and the one that ships, by path.

    Raises: ConfigError for a file that cannot be read as audio.
    """
    loop = asyncio.get_running_loop()
    paths = dict.fromkeys([SHIPPED, *(each.recording for each in fallbacks if each.recording)])
    return {path: await loop.run_in_executor(None, _read, path) for path in paths}


def _read(path: Path) -> Recording:
    try:
        with soundfile.SoundFile(path) as file:
            if file.frames > MAX_S * file.samplerate:
                raise ConfigError(f"{path}: a recording for callers has at most {MAX_S:g} s")
            samples = file.read(dtype="int16", always_2d=True)[:, 0]
            resampler = Resampler(file.samplerate, RATE_HZ)
    except (OSError, soundfile.SoundFileError) as exc:
        why = getattr(exc, "strerror", None) or "it is no audio file"
        raise ConfigError(f"{path}: the recording cannot be read ({why})") from None
    except CodecError as exc:
        raise ConfigError(f"{path}: {exc}") from None
    return Recording(np.concatenate((resampler.push(samples.copy()), resampler.flush())))
