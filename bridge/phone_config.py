"""The part of the configuration that is about phone calls: carriers' accounts, routes, limits, the AI side.

Strict about its own keys, like the rest of the file. What a route gives to the AI call is the API's own request body
and is passed on as it stands.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

REGEX: Final = "re:"
"""What a number pattern begins with that is a regular expression."""
_URL_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})


class Table(BaseModel):
    """A table of the file: every key is known, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in _URL_SCHEMES or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://bridge.example.com")
    return text.rstrip("/")


def _is_pattern(text: str) -> str:
    if text.startswith(REGEX):
        try:
            re.compile(text.removeprefix(REGEX))
        except re.error as exc:
            raise ValueError(f"is no regular expression: {exc}") from None
    return text


def _is_prefix(text: str) -> str:
    if not re.fullmatch(r"\+\d{0,15}", text, re.ASCII):
        raise ValueError("must be the beginning of a number, such as +1 or +4930")
    return text


def _is_path_word(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not re.fullmatch(
        r"[\w-]{8,128}", secret.get_secret_value(), re.ASCII
    ):
        raise ValueError("must be 8 to 128 letters, digits, - or _: it stands in an address")
    return secret


Url: TypeAlias = Annotated[str, AfterValidator(_is_url)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Port: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=65_535)]
PathSecret: TypeAlias = Annotated[SecretStr | None, AfterValidator(_is_path_word)]


# The AI side


class AiConfig(Table):
    """Who serves the AI calls: the embedded call server, or an Ultravox-style API elsewhere."""

    base_url: Url | None = None
    """Of the API, without ``/api``; None: the embedded call server."""
    api_key: SecretStr | None = None
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"


class FallbackConfig(Table):
    """What the caller gets when the AI side fails."""

    recording: Path | None = None
    """Any audio file; None: the one that ships."""
    transfer_to: str | None = None
    """A number or SIP address; None: the call is hung up."""


class DtmfConfig(Table):
    """What becomes of the keys a caller presses."""

    ignore: bool = False
    text: str = "{digits}"
    urgency: Literal["immediate", "soon", "later"] = "immediate"


class PhoneConfig(Table):
    """Limits and times of all phone calls."""

    max_calls: Count | None = None
    """At the same time; None: as many as the machine carries."""
    insecure: bool = False
    """Take calls that cannot be checked. For tests."""
    token_s: Seconds = 60.0
    """How long the carrier may take from our answer to its media socket."""
    start_s: Seconds = 10.0
    """How long it may take from there to the start of the stream."""
    setup_s: Seconds = 4.0
    """How long the AI call may take to be created and joined, before the fallback is heard."""
    max_duration_s: Seconds = 3_600.0
    """No call lasts longer, whatever anybody sends."""
    drain_s: Annotated[float, Field(ge=0, le=86_400)] = 3_600.0
    """How long calls may go on after SIGTERM."""
    fallback: FallbackConfig = FallbackConfig()


class OutgoingConfig(Table):
    """Phone calls that whoever has an API key may have placed. They cost money: none are, unless this says so."""

    enabled: bool = False
    prefixes: tuple[Annotated[str, AfterValidator(_is_prefix)], ...] = ()
    """What a called number has to begin with, such as +1 or +4930; a caller is sent to such numbers only, too."""
    max_calls: Count = 10
    """At the same time."""
    max_per_day: Count = 200
    """Within 24 hours, those included that nobody answers, and callers that are sent elsewhere."""


# Carriers' accounts


class CarrierTable(Table):
    """One carrier's account."""

    def lacks(self) -> str | None:
        """What is missing to tell the carrier's requests from anybody's; None if nothing is."""
        return None


class TwilioConfig(CarrierTable):
    """Twilio."""

    account_sid: str | None = None
    auth_token: SecretStr | None = None
    """The primary one: it signs what Twilio sends."""
    api_key_sid: str | None = None
    """An API key for our requests; None: the account's own token is used."""
    api_key_secret: SecretStr | None = None
    api_url: Url = "https://api.twilio.com"

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.auth_token else "auth_token (or TWILIO_AUTH_TOKEN)"


class TelnyxConfig(CarrierTable):
    """Telnyx."""

    api_key: SecretStr | None = None
    public_key: str | None = None
    """Of the account, base64: checks webhooks."""
    connection_id: str | None = None
    api_url: Url = "https://api.telnyx.com"
    stream_auth_token: SecretStr | None = None
    """What Telnyx brings along to the media socket; only where calls are answered by REST."""
    codec: Literal["PCMU", "PCMA", "G722", "OPUS", "L16"] = "PCMU"
    rate_hz: Literal[8_000, 16_000, 22_050, 24_000, 48_000] = 8_000
    l16_byteorder: Literal["big", "little"] = "big"

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.public_key else "public_key (or TELNYX_PUBLIC_KEY)"


class PlivoConfig(CarrierTable):
    """Plivo."""

    auth_id: str | None = None
    auth_token: SecretStr | None = None
    api_url: Url = "https://api.plivo.com"
    content_type: Literal[
        "audio/x-l16;rate=8000", "audio/x-l16;rate=16000", "audio/x-mulaw;rate=8000"
    ] = "audio/x-mulaw;rate=8000"

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.auth_token else "auth_token (or PLIVO_AUTH_TOKEN)"


class ExchangeConfig(CarrierTable):
    """A carrier that signs nothing: a secret in the address, a user and password, or both."""

    secret: PathSecret = None
    """The last part of the media socket's address."""
    user: str | None = None
    password: SecretStr | None = None
    """HTTP Basic authentication of the media socket."""

    @model_validator(mode="after")
    def _whole(self) -> "ExchangeConfig":
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together")
        return self

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.secret or self.user else "secret, or user and password"


class ExotelConfig(ExchangeConfig):
    """Exotel."""

    account_sid: str | None = None
    api_key: str | None = None
    api_token: SecretStr | None = None
    api_url: Url = "https://api.exotel.com"
    rate_hz: Literal[8_000, 16_000, 24_000] = 8_000


class VonageConfig(CarrierTable):
    """Vonage."""

    application_id: str | None = None
    private_key: Path | None = None
    """PEM file of the application's key: hangs up, transfers, presses keys."""
    signature_secret: SecretStr | None = None
    """Checks webhooks."""
    api_url: Url = "https://api.nexmo.com"
    rate_hz: Literal[8_000, 16_000, 24_000] = 16_000

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.signature_secret else "signature_secret (or VONAGE_SIGNATURE_SECRET)"


class GenesysConfig(CarrierTable):
    """Genesys Audio Connector."""

    api_key: SecretStr | None = None
    client_secret: SecretStr | None = None
    """Base64, as it was entered at Genesys."""

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.api_key and self.client_secret else "api_key and client_secret"


class AsteriskConfig(ExchangeConfig):
    """Asterisk's chan_websocket."""


class JambonzConfig(ExchangeConfig):
    """jambonz."""


class AudioForkConfig(ExchangeConfig):
    """FreeSWITCH with mod_audio_fork."""

    rate_hz: Literal[8_000, 16_000, 24_000, 32_000, 48_000] = 8_000


class AudioStreamConfig(ExchangeConfig):
    """FreeSWITCH with mod_audio_stream."""

    rate_hz: Literal[8_000, 16_000, 24_000, 32_000, 48_000] = 8_000


class CarriersConfig(Table):
    """The carriers that are there; one that is left out is not answered."""

    twilio: TwilioConfig | None = None
    telnyx: TelnyxConfig | None = None
    plivo: PlivoConfig | None = None
    exotel: ExotelConfig | None = None
    vonage: VonageConfig | None = None
    genesys: GenesysConfig | None = None
    asterisk: AsteriskConfig | None = None
    jambonz: JambonzConfig | None = None
    audio_fork: AudioForkConfig | None = None
    audio_stream: AudioStreamConfig | None = None

    def there(self) -> dict[str, CarrierTable]:
        """Those that are configured, by name."""
        tables = ((name, getattr(self, name)) for name in type(self).model_fields)
        return {name: table for name, table in tables if table is not None}


class AudioSocketConfig(Table):
    """Asterisk's AudioSocket: a TCP port of its own."""

    host: str = "127.0.0.1"
    port: Port = 9_092
    any_uuid: bool = False
    """Take calls whose UUID was not asked for at /carriers/audiosocket/answer. AudioSocket has no other check."""


# Routes

CarrierPattern: TypeAlias = Literal[
    "*",
    "twilio",
    "telnyx",
    "plivo",
    "exotel",
    "vonage",
    "genesys",
    "audiosocket",
    "asterisk",
    "jambonz",
    "audio_fork",
    "audio_stream",
]


class RouteConfig(Table):
    """Which calls go to which AI call; the first route that fits counts."""

    carrier: CarrierPattern = "*"
    number: Annotated[str, AfterValidator(_is_pattern)] = "*"
    """The called number: with ``*`` and ``?`` for any characters, or after ``re:`` a regular expression."""
    direction: Literal["inbound", "outbound", "any"] = "any"
    call: dict[str, object] = Field(default_factory=dict)
    """The body of the request that makes the AI call."""
    agent: str | None = None
    """Id of a stored agent of the API, whose request the body then is."""
    max_calls: Count | None = None
    """At the same time on this route; None: as many as there may be."""
    fallback: FallbackConfig | None = None
    """None: that of all calls."""
    tools: tuple[Literal["playDtmfSounds", "coldTransfer"], ...] = ()
    """What the agent can do to the phone call."""
    transfer_to: str | None = None
    """Where coldTransfer sends the caller; None: the agent says where."""
    dtmf: DtmfConfig = DtmfConfig()
