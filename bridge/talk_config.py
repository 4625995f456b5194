"""The part of the configuration that is about talking at a desk: devices, and what keeps an agent from hearing itself.

`tipring talk` and `tipring devices` read it from the user's own file; the service knows the table, so that one file can
serve both, and does nothing with it.
"""

from typing import Annotated, TypeAlias

from pydantic import Field, StrictBool, StrictInt, StrictStr

from bridge.config_table import Table

DeviceName: TypeAlias = (
    Annotated[StrictStr, Field(min_length=1, max_length=256)] | Annotated[StrictInt, Field(ge=0)]
)
"""A part of a device's name, or its number in the list, which changes when devices come and go."""


class TalkConfig(Table):
    """How `tipring talk` hears and is heard, where its options say nothing else."""

    microphone: DeviceName | None = None
    """None: the system's default."""
    loudspeaker: DeviceName | None = None
    aec: StrictBool = True
    """Echo cancellation, with noise suppression and gain control."""
    half_duplex: StrictBool = False
    """The microphone is muted while the loudspeaker sounds."""
