"""A carrier's stream once it has started: what its audio is made of, and the caller's end of it."""

from dataclasses import dataclass

from bridge.legs.carrier.codec import WHOLE_FRAMES, Encode, encoder
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.intake import Intake
from bridge.wire.carriers.base import Started, Traits


@dataclass(frozen=True, slots=True)
class CarrierStream:
    """Lives as long as the socket, through one relay after the other: encoders and decoders have state."""

    started_s: float
    """Loop time."""
    intake: Intake
    encode: Encode
    whole_frames: bool
    """Whether the last frame of an utterance must be padded."""


def open_stream(
    started: Started, traits: Traits, figures: CarrierFigures, now_s: float
) -> CarrierStream:
    """Make what the start announces. Raises: CodecError for audio that no codec here has."""
    return CarrierStream(
        now_s,
        Intake(started.heard, figures),
        encoder(started.played, traits.frame_ms),
        traits.whole_frames or started.played.encoding in WHOLE_FRAMES,
    )
