"""PortAudio's errors as sentences for people, with the kind of trouble for the program."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bridge.legs.device.host import Device, DeviceError, Trouble
from bridge.legs.device.packages import why_no_device

_TROUBLES: Final[Mapping[int, Trouble]] = {
    -9998: "format",  # invalid number of channels
    -9997: "format",  # invalid sample rate
    -9996: "gone",  # invalid device
    -9994: "format",  # sample format not supported
    -9993: "busy",  # two devices that do not go together
    -9985: "busy",  # device unavailable
}
_WORDS: Final[Mapping[str, Trouble]] = {
    "busy": "busy",
    "in use": "busy",
    "permission": "denied",
    "denied": "denied",
    "no such": "gone",
    "unplugged": "gone",
    "sample rate": "format",
    "channel": "format",
    "format": "format",
}


def told(error: Exception, device: Device) -> DeviceError:
    """PortAudio's error as a sentence for people."""
    trouble = trouble_of(error.args)
    sentence = {
        "busy": f"{device.name} is busy: close the program that uses it, or choose another device",
        "format": f"{device.name} does not take this rate or these channels: choose another device",
        "gone": f"{device.name} is not there any more: plug it in again, or choose another device",
        "denied": f"this user may not use {device.name}: {why_no_device()}",
    }.get(trouble, f"{device.name} cannot be opened: {error.args[0] if error.args else error}")
    return DeviceError(sentence, trouble)


def trouble_of(args: Sequence[Any]) -> Trouble:
    """What kind of trouble a PortAudioError with these arguments is: text, code, (system, code, text)."""
    code = args[1] if len(args) > 1 else None
    if isinstance(code, int) and code in _TROUBLES:
        return _TROUBLES[code]
    text = str(args[2][2] if len(args) > 2 and len(args[2]) > 2 else args[0] if args else "")
    found = (trouble for word, trouble in _WORDS.items() if word in text.casefold())
    return next(found, "broken")
