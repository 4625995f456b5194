"""Which microphone and which loudspeaker: by index, by a part of the name, or the system's own choice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bridge.legs.device.host import Device, DeviceError

Direction = Literal["microphone", "loudspeaker"]


@dataclass(frozen=True, slots=True)
class DeviceChoice:
    """An index of the list, a part of a name, or None for the system's default."""

    microphone: str | int | None = None
    loudspeaker: str | int | None = None

    def of(self, direction: Direction) -> str | int | None:
        """The choice for one direction."""
        return self.microphone if direction == "microphone" else self.loudspeaker


def usable(devices: Sequence[Device], direction: Direction) -> list[Device]:
    """The devices that have this direction at all."""
    return [device for device in devices if _channels(device, direction) > 0]


def find(devices: Sequence[Device], asked: str | int | None, direction: Direction) -> Device:
    """The device that is meant.

    A string of digits is an index, unless it is part of a name. A name counts in any case of letters; a whole name
    is preferred to a part, and the default to others with the same part of a name.

    Raises: DeviceError if there is none, or several and no way to tell; the sentence lists what there is.
    """
    there = usable(devices, direction)
    if not there:
        raise DeviceError(_nothing(direction), "none")
    if asked is None or asked == "":
        return _default(there, direction)
    if isinstance(asked, int):
        return _by_index(there, asked, direction)
    matches = _by_name(there, asked, direction)
    if not matches and asked.isdecimal():
        return _by_index(there, int(asked), direction)
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise DeviceError(f"no {direction} is called {asked!r}; {_listed(there)}", "gone")
    raise DeviceError(
        f"several {direction}s are called {asked!r}: {_listed(matches)}; say it by its number",
        "gone",
    )


def _default(there: Sequence[Device], direction: Direction) -> Device:
    return next((device for device in there if is_default(device, direction)), there[0])


def is_default(device: Device, direction: Direction) -> bool:
    """Whether the system takes this one when nobody chooses."""
    return device.is_default_input if direction == "microphone" else device.is_default_output


def _by_index(there: Sequence[Device], index: int, direction: Direction) -> Device:
    for device in there:
        if device.index == index:
            return device
    raise DeviceError(f"there is no {direction} number {index}; {_listed(there)}", "gone")


def _by_name(there: Sequence[Device], part: str, direction: Direction) -> list[Device]:
    wanted = part.casefold()
    matches = [device for device in there if wanted in device.name.casefold()]
    exact = [device for device in matches if device.name.casefold() == wanted]
    # One device stands in the list once for each part of the sound system (Windows has four).
    narrowed = exact or matches
    return [d for d in narrowed if is_default(d, direction)] or narrowed


def _channels(device: Device, direction: Direction) -> int:
    return device.n_inputs if direction == "microphone" else device.n_outputs


def _listed(devices: Sequence[Device]) -> str:
    return "there is " + ", ".join(f"{device.index} ({device.name})" for device in devices)


def _nothing(direction: Direction) -> str:
    return f"there is no {direction}: connect one, or switch it on in the sound settings of this system"
