"""The service's configuration: a TOML file, strict about its own keys.

Order: command line, environment, file, default; the command line and the environment are read in ``cli`` alone and
arrive here as overrides. An unknown key is refused with the nearest known one.
"""

import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from bridge.errors import ConfigError, did_you_mean

MAX_CONFIG_BYTES = 256 * 1024
MIN_KEY_CHARS = 8
"""A shorter key, above all an empty one, locks nobody out."""
_EXPECTED: Final = {
    "tuple_type": "must be a list",
    "model_type": "must be a table",
    "path_type": "must be a path",
    "int_type": "must be a whole number",
    "string_type": "must be text",
    "too_short": f"must have at least {MIN_KEY_CHARS} characters",
}
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerConfig(_Table):
    """Where the service listens, and who may use it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(strict=True, ge=0, le=65_535)] = 8080
    api_keys: tuple[Annotated[SecretStr, Field(min_length=MIN_KEY_CHARS)], ...] = ()
    public_url: str | None = None
    recordings: Path | None = Path("recordings")
    scripts: Path | None = None


class SpeechConfig(_Table):
    """Which voice, ear and voice-activity detector the local brains use."""

    voice: Literal["auto", "espeak", "tone"] = "auto"
    ear: Literal["auto", "pocketsphinx", "off"] = "auto"
    vad: Literal["auto", "silero", "energy"] = "auto"


class Config(_Table):
    """The whole file."""

    server: ServerConfig = ServerConfig()
    speech: SpeechConfig = SpeechConfig()


def load_config(path: Path | None, overrides: Mapping[str, object] | None = None) -> Config:
    """Read a config file (or none) and lay the ``server`` overrides over it.

    Raises: ConfigError with one sentence that names the file and the key.
    """
    content = {} if path is None else _read(path)
    if overrides:
        server = content.setdefault("server", {})
        if isinstance(server, dict):
            server.update(overrides)
    try:
        config = Config.model_validate(content)
    except ValidationError as exc:
        raise ConfigError(_complaint(path, overrides or {}, exc.errors()[0])) from None
    check_exposure(config.server)
    return config


def check_exposure(server: ServerConfig) -> None:
    """Without a key nobody but this machine may reach the service.

    Raises: ConfigError.
    """
    if not server.api_keys and not is_loopback(server.host):
        raise ConfigError(
            f"refusing to listen on {server.host} without an API key: set TIPRING_API_KEY or "
            "server.api_keys, or listen on 127.0.0.1"
        )


def is_loopback(host: str) -> bool:
    """Whether a bind address can be reached from this machine only."""
    if host in LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror or exc}") from None
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: longer than {MAX_CONFIG_BYTES // 1024} KiB")
    try:
        return tomllib.loads(data.decode())
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"{path}: not valid TOML: {exc}") from None


def _complaint(path: Path | None, overrides: Mapping[str, object], error: ErrorDetails) -> str:
    if error["loc"][:2] == ("server", "api_keys") and "api_keys" in overrides:
        return f"TIPRING_API_KEY {_EXPECTED.get(error['type'], error['msg'])}"
    return f"{path or 'settings'}: {_sentence(error)}"


def _sentence(error: ErrorDetails) -> str:
    *table, key = map(str, error["loc"]) if error["loc"] else ("",)
    if error["type"] != "extra_forbidden":
        return f"{'.'.join((*table, key))}: {_EXPECTED.get(error['type'], error['msg'])}"
    known = Config.model_fields if not table else _fields_of(table[0])
    return f"unknown key {'.'.join((*table, key))!r}{did_you_mean(key, list(known))}"


def _fields_of(table: str) -> Mapping[str, object]:
    tables: dict[str, type[_Table]] = {"server": ServerConfig, "speech": SpeechConfig}
    return tables[table].model_fields
