"""What a user has chosen for talking: the table ``[talk]`` of their config file, read and written.

The file is `$XDG_CONFIG_HOME/tipring/tipring.toml` unless another is named. Comments and other tables stay as they are.
All of this touches files: in an executor where a loop is running.
"""

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.config import MAX_CONFIG_BYTES, load_only
from bridge.errors import ConfigError
from bridge.talk.toml_table import Value, with_values
from bridge.talk_config import TalkConfig

TABLE: Final = "talk"
_NEW_FILE: Final = "# Tipring, for this user; `tipring devices test` writes the table [talk].\n"


def default_path(environment: Mapping[str, str]) -> Path:
    """Where the user's config is: below `XDG_CONFIG_HOME` or Windows' `APPDATA`, if absolute, or ~/.config."""
    for name in ("XDG_CONFIG_HOME", "APPDATA"):
        folder = environment.get(name, "")
        if folder and Path(folder).is_absolute():
            return Path(folder) / "tipring" / "tipring.toml"
    return Path.home() / ".config" / "tipring" / "tipring.toml"


def read_preferences(path: Path, *, must_exist: bool = False) -> TalkConfig:
    """The table of a file; its defaults where there is no file, unless it must exist.

    Other tables are not looked at: they are another command's business.

    Raises: ConfigError with one sentence that names the file and the key.
    """
    try:
        there = path.exists()
    except OSError as exc:  # a folder that may not be looked into, a name that is too long
        raise ConfigError(f"{path}: cannot be read: {exc.strerror}") from None
    if not must_exist and not there:
        return TalkConfig()
    return load_only(path, TABLE).talk


def write_preferences(path: Path, values: Mapping[str, Value]) -> None:
    """Put values into the table, made where it is missing, as the file is; None takes a key away.

    The file is replaced whole: a reader finds the old or the new one.

    Raises: ConfigError with one sentence that names the file.
    """
    TalkConfig.model_validate({key: value for key, value in values.items() if value is not None})
    try:
        text = _text(path) if path.exists() else _NEW_FILE
        _replace(path.resolve(), with_values(text, TABLE, values).encode())
    except ConfigError as exc:
        raise ConfigError(f"{path}: {exc}") from None
    except (OSError, UnicodeError) as exc:
        reason = getattr(exc, "strerror", None) or exc
        raise ConfigError(f"{path}: cannot be written: {reason}") from None


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_CONFIG_BYTES + 1)
    if len(content) > MAX_CONFIG_BYTES:
        raise ConfigError(f"longer than {MAX_CONFIG_BYTES // 1024} KiB")
    return content.decode()


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file and put the new one in its place, with its permissions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
