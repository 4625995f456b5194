"""The service's configuration: a TOML file, strict about its own keys.

Order: command line, environment, file, default; the command line and the environment are read in ``cli`` alone and
arrive here as overrides. An unknown key is refused with the nearest known one.
"""

import tomllib
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from bridge.carrier_config import AudioSocketConfig, CarriersConfig
from bridge.config_table import Port, Table, Url
from bridge.errors import ConfigError, did_you_mean
from bridge.phone_config import AiConfig, OutgoingConfig, PhoneConfig, RouteConfig
from bridge.talk_config import TalkConfig
from bridge.webrtc_config import WebRtcConfig

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
_OUR_WORDS: Final = "Value error, "
"""What pydantic puts before a sentence of ours."""
PUBLISHED: Final = ("change-this", "Y2hhbmdlLXRoaX")
"""What the secrets of the example files begin with, which everybody can read; the second is its base64."""
LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost"})


class ServerConfig(Table):
    """Where the service listens, and who may use it."""

    host: str = "127.0.0.1"
    port: Port = 8080
    api_keys: tuple[Annotated[SecretStr, Field(min_length=MIN_KEY_CHARS)], ...] = ()
    public_url: Url | None = None
    """Under which carriers and clients reach the service; None: the address that a request came to."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names that are served; none given: all, where an API key is set."""
    recordings: Path | None = Path("recordings")
    scripts: Path | None = None


class SpeechConfig(Table):
    """Which voice, ear and voice-activity detector the local brains use."""

    voice: Literal["auto", "espeak", "tone"] = "auto"
    ear: Literal["auto", "pocketsphinx", "off"] = "auto"
    vad: Literal["auto", "silero", "energy"] = "auto"


class Config(Table):
    """The whole file."""

    server: ServerConfig = ServerConfig()
    speech: SpeechConfig = SpeechConfig()
    webrtc: WebRtcConfig = WebRtcConfig()
    ai: AiConfig = AiConfig()
    phone: PhoneConfig = PhoneConfig()
    outgoing: OutgoingConfig = OutgoingConfig()
    carriers: CarriersConfig = CarriersConfig()
    audiosocket: AudioSocketConfig | None = None
    routes: tuple[RouteConfig, ...] = ()
    talk: TalkConfig = TalkConfig()


Overrides: TypeAlias = Mapping[str, Mapping[str, object]]
"""Keys and values by the name of their table: ``{"carriers.twilio": {"auth_token": …}}``."""


def load_config(
    path: Path | None,
    overrides: Mapping[str, object] | None = None,
    more: Overrides | None = None,
) -> Config:
    """Read a config file (or none) and lay the ``server`` overrides over it, and ``more`` for other tables.

    A carrier that ``more`` alone names, without what it takes to check its requests, is left out.

    Raises: ConfigError with one sentence that names the file and the key.
    """
    content = {} if path is None else _read(path)
    asked_for = _carriers_in(content)
    for table, values in {"server": overrides or {}, **(more or {})}.items():
        _lay_over(content, table, values)
    try:
        config = Config.model_validate(content)
    except ValidationError as exc:
        raise ConfigError(_complaint(path, overrides or {}, exc.errors()[0])) from None
    config = _without_halves(config, asked_for)
    check_exposure(config.server)
    check_published(config)
    check_phone(config)
    check_outgoing(config)
    return config


def load_only(path: Path, table: str) -> Config:
    """One table of a config file; the others are not looked at, and have their defaults.

    Raises: ConfigError with one sentence that names the file and the key.
    """
    content = _read(path)
    try:
        return Config.model_validate({table: content[table]} if table in content else {})
    except ValidationError as exc:
        raise ConfigError(_complaint(path, {}, exc.errors()[0])) from None


def _carriers_in(content: Mapping[str, object]) -> frozenset[str]:
    carriers = content.get("carriers")
    return frozenset(carriers) if isinstance(carriers, dict) else frozenset()


def _without_halves(config: Config, asked_for: frozenset[str]) -> Config:
    """Carriers of which the file says nothing and the environment not enough are not there.

    Its variables may be there for another program.
    """
    halves = {
        name: None
        for name, table in config.carriers.there().items()
        if name not in asked_for and table.lacks()
    }
    carriers = config.carriers.model_copy(update=halves)
    return config.model_copy(update={"carriers": carriers})


def _lay_over(content: dict[str, object], table: str, values: Mapping[str, object]) -> None:
    """Put values into a table, made where it is missing; what is no table is left for the validation to refuse."""
    if not values:
        return
    place: object = content
    for part in table.split("."):
        if isinstance(place, dict):
            place = place.setdefault(part, {})
    if isinstance(place, dict):
        place.update(values)


def check_exposure(server: ServerConfig) -> None:
    """Without a key nobody but this machine may reach the service.

    Raises: ConfigError.
    """
    if not server.api_keys and not is_loopback(server.host):
        raise ConfigError(
            f"refusing to listen on {server.host} without an API key: set TIPRING_API_KEY or "
            "server.api_keys, or listen on 127.0.0.1"
        )


def published(config: Config) -> str | None:
    """The first key of `server` and the carriers whose value is an example's; None if there is none."""
    tables: dict[str, BaseModel] = {"server": config.server}
    tables |= {f"carriers.{name}": table for name, table in config.carriers.there().items()}
    for name, table in tables.items():
        for key in type(table).model_fields:
            value = getattr(table, key)
            if any(
                _is_published(each) for each in (value if isinstance(value, tuple) else [value])
            ):
                return f"{name}.{key}"
    return None


def _is_published(value: object) -> bool:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return isinstance(text, str) and text.startswith(PUBLISHED)


def check_published(config: Config) -> None:
    """No secret that stands in an example file keeps anybody out.

    Raises: ConfigError.
    """
    if is_loopback(config.server.host):
        return
    if key := published(config):
        raise ConfigError(
            f"refusing to listen on {config.server.host} with the example's {key}, which everybody can read: "
            "put your own there, leave out what you do not use, or listen on 127.0.0.1"
        )


def check_phone(config: Config) -> None:
    """Every carrier can be told from anybody else, and certificate and key are both there.

    Raises: ConfigError.
    """
    if (config.server.tls_cert is None) != (config.server.tls_key is None):
        raise ConfigError("server.tls_cert and server.tls_key belong together")
    if config.phone.insecure:
        return
    for name, table in config.carriers.there().items():
        if missing := table.lacks():
            raise ConfigError(
                f"carriers.{name} needs {missing}, so that nobody else can speak for it; "
                "phone.insecure takes calls unchecked, for tests"
            )


def check_outgoing(config: Config) -> None:
    """Where calls are placed, carriers know where to open their media sockets, and it is said who may be called.

    Raises: ConfigError.
    """
    if not config.outgoing.enabled:
        return
    if not config.outgoing.prefixes:
        raise ConfigError(
            "outgoing.enabled needs outgoing.prefixes: what a number has to begin with, such as +1"
        )
    if config.server.public_url is None:
        raise ConfigError(
            "outgoing.enabled needs server.public_url: where carriers open the media sockets of the calls"
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
    where = ".".join((*table, key))
    if error["type"] != "extra_forbidden":
        said = _EXPECTED.get(error["type"], error["msg"].removeprefix(_OUR_WORDS))
        return f"{where}: {said}"
    return f"unknown key {where!r}{did_you_mean(key, _keys_at(table))}"


def _keys_at(place: Sequence[str]) -> list[str]:
    """What may stand in the table at this place of the file; an index of a list is a part of the place."""
    table: type[BaseModel] = Config
    for part in place:
        field = table.model_fields.get(part)
        table = table if field is None else _table_in(field.annotation) or table
    return list(table.model_fields)


def _table_in(annotation: object) -> type[BaseModel] | None:
    """The table that a key's type is, or is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _table_in(part))), None)
