"""`tipring devices`: what it prints, what it writes, and how it ends."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge import cli
from bridge.cli import devices
from bridge.legs.device import apm
from bridge.virtual import run_virtual
from tests.fakes.log_set_up import logging_restored
from tests.fakes.room import Room, RoomHost

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with logging_restored():
        yield


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch) -> Room:
    """The room that the command finds itself in, in virtual time."""
    made = Room(delay_ms=20)
    monkeypatch.setattr(devices, "_host", lambda: RoomHost(made))
    monkeypatch.setattr(devices, "_run", run_virtual)
    return made


def config(tmp_path: Path) -> Path:
    return tmp_path / "tipring" / "tipring.toml"


def test_devices_are_listed_and_the_two_that_a_call_would_use_are_marked(
    room: Room, capsys: Capture
) -> None:
    assert cli.run(["devices"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["0", "Room", "Microphone", "2", "*", "-", "16,000", "Hz", "Room"]
    assert lines[2].split() == ["1", "Room", "Loudspeaker", "-", "2", "*", "16,000", "Hz", "Room"]


def test_for_programs_there_is_one_line_of_json(room: Room, capsys: Capture) -> None:
    assert cli.run(["devices", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["microphone"], told["loudspeaker"]) == (0, 1)
    assert [device["name"] for device in told["devices"]] == ["Room Microphone", "Room Loudspeaker"]
    assert told["devices"][0]["n_inputs"] == 2


def test_a_choice_that_is_not_there_is_marked_nowhere(
    room: Room, capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[talk]\nmicrophone = "Yeti"\n')
    assert cli.run(["devices", "--json", "--config", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["microphone"] is None


def test_a_good_pair_is_told_in_words_and_becomes_the_choice(
    room: Room, capsys: Capture, tmp_path: Path
) -> None:
    assert cli.run(["devices", "test"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("Room Microphone and Room Loudspeaker\n  ok    round trip 5")
    assert f"written into {config(tmp_path)}" in told.err
    assert (
        config(tmp_path)
        .read_text()
        .endswith('[talk]\nmicrophone = "Room Microphone"\nloudspeaker = "Room Loudspeaker"\n')
    )


def test_a_bad_pair_ends_with_1_and_is_not_written(
    room: Room, capsys: Capture, tmp_path: Path
) -> None:
    room.gain_db, room.echo_db = 20, 0
    assert cli.run(["devices", "test"]) == 1
    assert "  BAD   " in capsys.readouterr().out
    assert not config(tmp_path).exists()


def test_figures_for_programs(room: Room, capsys: Capture, tmp_path: Path) -> None:
    room.drift_ppm = 120
    assert cli.run(["devices", "test", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["usable"] is True
    assert told["drift_ppm"] == pytest.approx(120, abs=2)
    assert told["delay_ms"] == pytest.approx(50, abs=11)
    assert told["echo_db"] == pytest.approx(-11, abs=2)
    assert (told["clipped"], told["jumps"], told["glitches"]) == (0, 0, 0)
    assert {finding["grade"] for finding in told["findings"]} == {"good"}
    assert told["saved_in"] == str(config(tmp_path))


def test_nothing_is_written_where_nothing_shall_be(room: Room, tmp_path: Path) -> None:
    assert cli.run(["devices", "test", "--no-save"]) == 0
    assert not config(tmp_path).exists()


def test_another_file_may_be_named_and_keeps_its_comments(
    room: Room, capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("# mine\n[talk]\naec = false  # never\n")
    assert cli.run(["devices", "test", "--config", str(file)]) == 0
    assert file.read_text().startswith("# mine\n[talk]\naec = false  # never\nmicrophone = ")
    assert not config(tmp_path).exists()


def test_a_device_that_is_not_there_is_wrong_usage(room: Room, capsys: Capture) -> None:
    assert cli.run(["devices", "test", "--input-device", "Yeti"]) == 2
    assert "no microphone is called 'Yeti'; there is 0 (Room Microphone)" in capsys.readouterr().err


def test_an_echo_without_echo_cancellation_is_written_as_half_duplex(
    room: Room, capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(apm, "find_spec", lambda _name: None)
    assert cli.run(["devices", "test"]) == 0
    assert "half duplex, or headphones" in capsys.readouterr().out
    assert "half_duplex = true" in config(tmp_path).read_text()


def test_a_name_that_would_steer_the_terminal_is_printed_harmlessly(
    room: Room, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    room.name = "\x1b[2J[bold]Evil"
    assert cli.run(["devices"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert cli.run(["devices", "test", "--no-save"]) == 0
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "[bold]Evil" in told


def test_without_sounddevice_one_sentence_says_what_to_install(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert cli.run(["devices"]) == 1
    assert "pip install 'tipring[talk]'" in capsys.readouterr().err


def test_a_config_with_a_mistake_is_named_before_anything_sounds(
    room: Room, capsys: Capture, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[talk]\nmikrophone = 1\n")
    assert cli.run(["devices", "test", "--config", str(file)]) == 2
    assert "did you mean 'microphone'?" in capsys.readouterr().err
