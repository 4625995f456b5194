"""Colours of the page: text and what must be seen stand out from what lies behind, in light and in dark.

Rules: WCAG 2.2, success criteria 1.4.3 (text: 4.5 to 1) and 1.4.11 (controls and graphics: 3 to 1).
"""

import re
from functools import cache

import pytest

from tests.fakes.node import WEB

TEXT = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "cool-wash"),
    ("ink", "hot-wash"),
    ("ink", "agent-wash"),
    ("ink", "caller-wash"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "cool-wash"),
    ("soft", "agent-wash"),
    ("soft", "caller-wash"),
    ("caller", "card"),
    ("caller", "caller-wash"),
    ("agent", "card"),
    ("agent", "agent-wash"),
    ("hot", "hot-wash"),
    ("hot", "agent-wash"),
    ("warm", "card"),
    ("warm", "warm-wash"),
    ("on-go", "go"),
    ("on-stop", "stop"),
    ("on-strong", "strong"),
]
SEEN = [
    ("edge", "card"),
    ("edge", "paper"),
    ("edge", "cool-wash"),
    ("focus", "card"),
    ("focus", "paper"),
    ("agent", "cool-wash"),
    ("caller", "cool-wash"),
    ("warm", "warm-wash"),
    ("hot", "card"),
    ("hot", "paper"),
    ("on-go", "go"),
]


@cache
def schemes() -> dict[str, dict[str, str]]:
    """The colours of both schemes, by name."""
    light, dark = (WEB / "tokens.css").read_text().split("@media")
    found = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", part)) for part in (light, dark)]
    return {"light": found[0], "dark": found[1]}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
        for channel in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio, 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_computed_as_the_guidelines_do() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "behind"), TEXT)
def test_text_can_be_read(scheme: str, front: str, behind: str) -> None:
    colours = schemes()[scheme]

    assert contrast(colours[front], colours[behind]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("front", "behind"), SEEN)
def test_controls_and_graphics_can_be_seen(scheme: str, front: str, behind: str) -> None:
    colours = schemes()[scheme]

    assert contrast(colours[front], colours[behind]) >= 3


def test_both_schemes_name_the_same_colours() -> None:
    assert schemes()["light"].keys() == schemes()["dark"].keys()


def test_no_colour_is_given_without_a_name() -> None:
    for sheet in ("page.css", "call.css"):
        rules = (WEB / sheet).read_text()
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*\s*[{,:])", rules) == []
