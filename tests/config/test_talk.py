"""The guide for the terminal names what there is."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from bridge.talk import events
from bridge.talk.json_events import figures_line, left_out_line, refused_line
from bridge.talk.keys import BY_HAND_S
from bridge.talk.line_writer import BYTES_AHEAD, CLOSE_S, LINES_AHEAD
from bridge.talk.plan import BY_HAND
from bridge.talk.screen.needs import Gauges
from bridge.talk.typed import line_help

GUIDE = (Path(__file__).parents[2] / "config" / "talk.md").read_text()


def rows() -> dict[str, set[str]]:
    """Each event of the JSON, and the words in code that its row has."""
    table = GUIDE.partition("| event | fields |")[2].partition("\n\n")[0]
    found: dict[str, set[str]] = {}
    for line in table.splitlines()[2:]:
        _, kinds, told, *_ = line.split("|")
        for kind in re.findall(r"`(\w+)`", kinds):
            found[kind] = set(re.findall(r"`(\w+)`", told))
    return found


def test_every_event_of_the_json_is_in_the_table_with_its_fields() -> None:
    known: Any = get_args(events.SessionEvent)
    lines = (figures_line(Gauges(), 0.0), left_out_line(1), refused_line("no"))
    asked = {each.kind: {field.name for field in fields(each)} for each in known}
    asked |= {told.pop("event"): set(told) for told in map(json.loads, lines)}

    told = rows()
    assert told.keys() == asked.keys()
    for kind, names in asked.items():
        if kind != "ended" and told[kind]:
            assert names - {"at_s"} <= told[kind], kind


@pytest.mark.parametrize("command", re.findall(r"/\w+", line_help(devices=True)))
def test_every_command_of_the_line_mode_is_named(command: str) -> None:
    assert command in GUIDE


def test_what_the_guide_says_in_figures_is_so() -> None:
    assert f"pause for {BY_HAND_S:g} s" in GUIDE
    assert f'"timeout": "{BY_HAND}"' in GUIDE
    assert f"{LINES_AHEAD:,} lines or {BYTES_AHEAD // 1024**2} MiB" in GUIDE
    assert f"not read {CLOSE_S:g} s after" in GUIDE
