"""The user's own choices: where they stand, how they are read, and what stays when they are written."""

import stat
from pathlib import Path

import pytest

from bridge.config import MAX_CONFIG_BYTES, load_config
from bridge.errors import ConfigError
from bridge.talk.preferences import default_path, read_preferences, write_preferences
from bridge.talk_config import TalkConfig


def test_without_a_file_there_are_the_defaults() -> None:
    assert read_preferences(Path("/nowhere/tipring.toml")) == TalkConfig()


def test_a_file_that_was_named_must_be_there() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_preferences(Path("/nowhere/tipring.toml"), must_exist=True)


def test_a_name_that_no_file_can_have_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_preferences(tmp_path / ("a" * 5_000))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "tipring.toml"
    write_preferences(path, {"microphone": "Yeti", "loudspeaker": 3, "half_duplex": True})
    assert read_preferences(path) == TalkConfig(microphone="Yeti", loudspeaker=3, half_duplex=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [child.name for child in path.parent.iterdir()] == ["tipring.toml"]


def test_comments_other_tables_and_permissions_stay(tmp_path: Path) -> None:
    path = tmp_path / "tipring.toml"
    text = "# mine\n[server]\nport = 9000 # free\n\n[talk]\naec = false # why\n"
    path.write_text(text)
    path.chmod(0o640)
    write_preferences(path, {"microphone": "Yeti"})
    assert path.read_text() == text + 'microphone = "Yeti"\n'
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_service_takes_a_file_with_this_table_too(tmp_path: Path) -> None:
    path = tmp_path / "tipring.toml"
    path.write_text("[server]\nport = 9000\n[talk]\naec = false\n")
    assert load_config(path).server.port == 9000
    assert not read_preferences(path).aec


def test_other_tables_are_another_command_s_business(tmp_path: Path) -> None:
    path = tmp_path / "tipring.toml"
    path.write_text('[server]\nhost = "0.0.0.0"\nprot = 1\n[talk]\nmicrophone = 0\n')
    assert read_preferences(path).microphone == 0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("mikrophone = 1", r"unknown key 'talk.mikrophone'; did you mean 'microphone'\?"),
        ("aec = 1", "talk.aec"),
        ('microphone = ""', "talk.microphone"),
        ("microphone = -1", "talk.microphone"),
        ("microphone = 1.5", "talk.microphone"),
        ("microphone = true", "talk.microphone"),
    ],
)
def test_a_wrong_key_or_value_is_named(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "tipring.toml"
    path.write_text(f"[talk]\n{line}\n")
    with pytest.raises(ConfigError, match=sentence) as caught:
        read_preferences(path)
    assert "\n" not in str(caught.value)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("")
    link.symlink_to(real)
    write_preferences(link, {"aec": False})
    assert link.is_symlink()
    assert real.read_text() == "[talk]\naec = false\n"


def test_a_file_that_is_too_long_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "tipring.toml"
    path.write_bytes(b"#" * MAX_CONFIG_BYTES)
    write_preferences(path, {"aec": False})
    path.write_bytes(b"#" * (MAX_CONFIG_BYTES + 1))
    with pytest.raises(ConfigError, match="longer than 256 KiB"):
        write_preferences(path, {"aec": False})


def test_a_place_where_nothing_can_be_written_is_said_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written: "):
        write_preferences(tmp_path / "file" / "tipring.toml", {"aec": False})


def test_a_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "tipring.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_preferences(path, {"aec": False})
    assert path.read_bytes() == b"\xff\xfe"


def test_the_file_lies_in_the_user_s_configuration_folder() -> None:
    home = Path.home() / ".config" / "tipring" / "tipring.toml"
    assert default_path({"XDG_CONFIG_HOME": "/somewhere"}) == Path(
        "/somewhere/tipring/tipring.toml"
    )
    assert default_path({"XDG_CONFIG_HOME": "relative"}) == home
    assert default_path({}) == home
