"""Devices and examinations as programs and people get them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bridge.errors import UsageError
from bridge.legs.device.choice import Direction, find
from bridge.legs.device.host import Device
from bridge.log import printable
from bridge.talk.doctor.examining import Examination
from bridge.talk.doctor.findings import Finding, is_usable, needs_half_duplex
from bridge.talk.toml_table import Value
from bridge.talk_config import TalkConfig


def devices_as_dict(devices: Sequence[Device], chosen: TalkConfig) -> dict[str, object]:
    """All devices, and the numbers of the two that a call would use; None for one that is not there."""
    return {
        "devices": [asdict(device) for device in devices],
        "microphone": _index(devices, chosen.microphone, "microphone"),
        "loudspeaker": _index(devices, chosen.loudspeaker, "loudspeaker"),
    }


def devices_table(devices: Sequence[Device], chosen: TalkConfig) -> Table:
    """The same for people; `*` marks the two."""
    microphone = _index(devices, chosen.microphone, "microphone")
    loudspeaker = _index(devices, chosen.loudspeaker, "loudspeaker")
    table = Table(box=None, pad_edge=False)
    for name in ("", "device", "microphone", "loudspeaker", "rate", "system"):
        table.add_column(name, justify="right" if name == "rate" else "left")
    for device in devices:
        table.add_row(
            str(device.index),
            _plain(device.name),
            _ways(device.n_inputs, is_chosen=device.index == microphone),
            _ways(device.n_outputs, is_chosen=device.index == loudspeaker),
            f"{device.rate_hz:,} Hz",
            _plain(device.system),
        )
    return table


def examination_as_dict(
    examination: Examination, found: Sequence[Finding], saved_in: str | None
) -> dict[str, object]:
    """Figures and findings as plain JSON values."""
    return {
        "usable": is_usable(list(found)),
        "microphone": examination.microphone.name,
        "loudspeaker": examination.loudspeaker.name,
        "microphone_hz": examination.microphone_hz,
        "loudspeaker_hz": examination.loudspeaker_hz,
        **_rounded(asdict(examination.measured)),
        "claimed_ms": round(examination.claimed_ms, 1),
        "glitches": examination.glitches,
        "complete": examination.complete,
        "findings": [asdict(finding) for finding in found],
        "saved_in": saved_in,
    }


def findings_text(examination: Examination, found: Sequence[Finding]) -> Text:
    """The findings for people: one line each."""
    marks = {"good": ("ok  ", "green"), "note": ("note", "yellow"), "bad": ("BAD ", "bold red")}
    pair = f"{examination.microphone.name} and {examination.loudspeaker.name}"
    text = Text(f"{printable(pair)}\n")
    for finding in found:
        word, style = marks[finding.grade]
        text.append(f"  {word}  ", style)
        text.append(f"{printable(finding.text)}\n")
    text.rstrip()
    return text


def choice_to_save(
    examination: Examination, devices: Sequence[Device], *, has_aec: bool
) -> Mapping[str, Value]:
    """What belongs into the user's config: the pair, by name where that is enough, and half duplex where it must be."""
    half_duplex = needs_half_duplex(examination, has_aec=has_aec)
    return {
        "microphone": _name(devices, examination.microphone, "microphone"),
        "loudspeaker": _name(devices, examination.loudspeaker, "loudspeaker"),
        "half_duplex": True if half_duplex else None,
    }


def _name(devices: Sequence[Device], device: Device, direction: Direction) -> str | int:
    """Numbers change when devices come and go; a name that several have says too little."""
    try:
        return device.name if find(devices, device.name, direction) == device else device.index
    except UsageError:
        return device.index


def _index(devices: Sequence[Device], asked: str | int | None, direction: Direction) -> int | None:
    try:
        return find(devices, asked, direction).index
    except UsageError:
        return None


def _ways(n_channels: int, *, is_chosen: bool) -> str:
    if not n_channels:
        return "-"
    return f"{n_channels} *" if is_chosen else str(n_channels)


def _rounded(figures: Mapping[str, object]) -> dict[str, object]:
    return {
        name: round(value, 2) if isinstance(value, float) else value
        for name, value in figures.items()
    }


def _plain(text: str) -> str:
    """A name comes from a device: nothing of it steers the terminal, or is read as markup."""
    return escape(printable(text))
