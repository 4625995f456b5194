"""Carriers' accounts in the configuration: one table for each, and what tells a carrier from anybody else."""

import re
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, SecretStr, model_validator

from bridge.config_table import Port, Table, Url


def _is_path_word(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not re.fullmatch(
        r"[\w-]{8,128}", secret.get_secret_value(), re.ASCII
    ):
        raise ValueError("must be 8 to 128 letters, digits, - or _: it stands in an address")
    return secret


PathSecret: TypeAlias = Annotated[SecretStr | None, AfterValidator(_is_path_word)]


class CarrierTable(Table):
    """One carrier's account."""

    def lacks(self) -> str | None:
        """What is missing to tell the carrier's requests from anybody's; None if nothing is."""
        return None

    def lacks_api(self) -> str | None:
        """What is missing to ask the carrier's API to do something to a call; None if nothing is, or there is none."""
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

    @model_validator(mode="after")
    def _whole(self) -> "TwilioConfig":
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret belong together")
        return self

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.auth_token else "auth_token (or TWILIO_AUTH_TOKEN)"

    def lacks_api(self) -> str | None:
        """See CarrierTable."""
        if self.account_sid is None:
            return "account_sid"
        return None if self.auth_token or self.api_key_secret else "auth_token"


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

    @model_validator(mode="after")
    def _has_rate(self) -> "TelnyxConfig":
        rates = {"L16": (), "OPUS": (22_050,)}.get(self.codec, (16_000, 22_050, 24_000, 48_000))
        if self.rate_hz in rates:
            raise ValueError(f"{self.codec} has no rate_hz of {self.rate_hz}")
        return self

    def lacks(self) -> str | None:
        """See CarrierTable."""
        return None if self.public_key else "public_key (or TELNYX_PUBLIC_KEY)"

    def lacks_api(self) -> str | None:
        """See CarrierTable."""
        return None if self.api_key else "api_key"


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

    def lacks_api(self) -> str | None:
        """See CarrierTable."""
        if self.auth_id is None:
            return "auth_id"
        return None if self.auth_token else "auth_token"


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

    def lacks_api(self) -> str | None:
        """See CarrierTable; the API does nothing but place calls."""
        if self.account_sid is None:
            return "account_sid"
        if self.api_key is None:
            return "api_key"
        return None if self.api_token else "api_token"


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

    def lacks_api(self) -> str | None:
        """See CarrierTable."""
        if self.application_id is None:
            return "application_id"
        return None if self.private_key else "private_key"


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

    output_rate_hz: Literal[8_000, 16_000, 24_000, 32_000, 48_000] | None = None
    """``sampleRate`` of the verb's ``bidirectionalAudio``; None: the one at which jambonz sends, which it says."""


class AudioForkConfig(ExchangeConfig):
    """FreeSWITCH with mod_audio_fork."""

    rate_hz: Literal[8_000, 16_000, 24_000, 32_000, 48_000] = 8_000


class AudioStreamConfig(ExchangeConfig):
    """FreeSWITCH with mod_audio_stream."""

    rate_hz: Literal[8_000, 16_000] = 8_000


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
