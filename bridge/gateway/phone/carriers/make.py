"""The carriers that are configured, each with a client of its API where there are credentials."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import httpx
from pydantic import SecretStr

from bridge.carrier_config import (
    AudioSocketConfig,
    CarriersConfig,
    ExchangeConfig,
    ExotelConfig,
    GenesysConfig,
    PlivoConfig,
    TelnyxConfig,
    TwilioConfig,
    VonageConfig,
)
from bridge.clock import Clock
from bridge.errors import ConfigError
from bridge.gateway.phone.carriers.audiosocket import AudioSocket
from bridge.gateway.phone.carriers.base import Carrier
from bridge.gateway.phone.carriers.by_socket import Exchange, Locked
from bridge.gateway.phone.carriers.exotel import Exotel
from bridge.gateway.phone.carriers.genesys import Genesys
from bridge.gateway.phone.carriers.plivo import Plivo
from bridge.gateway.phone.carriers.telnyx import Telnyx, telnyx_options
from bridge.gateway.phone.carriers.twilio import Twilio
from bridge.gateway.phone.carriers.vonage import Vonage
from bridge.ids import Ids
from bridge.legs.carrier_rest.exotel import ExotelApi
from bridge.legs.carrier_rest.plivo import PlivoApi
from bridge.legs.carrier_rest.telnyx import TelnyxApi
from bridge.legs.carrier_rest.twilio import TwilioApi
from bridge.legs.carrier_rest.vonage import VonageApi
from bridge.wire.answers.texml import TelnyxFormat
from bridge.wire.carriers.base import CarrierName, MediaFormat
from bridge.wire.carriers.make import WireOptions, traits_of
from bridge.wire.signatures.jwt import load_rsa_key

HttpFactory: TypeAlias = Callable[[str], httpx.AsyncClient]
"""A client for this base URL; it stays its maker's."""

_SUBPROTOCOLS: Final[Mapping[str, str]] = {
    "asterisk": "media",
    "jambonz": "audio.jambonz.org",
    "audio_fork": "audio.drachtio.org",
}


class CarrierMaker:
    """Makes carriers from their tables. It reads key files: not to be used on the loop.

    Args:
        http: makes clients for their APIs.
        clock: stamps tokens for them.
        ids: names requests to them.
        public_url: under which they reach us, without a slash at its end; empty where that is not configured.
    """

    def __init__(self, http: HttpFactory, clock: Clock, ids: Ids, public_url: str) -> None:
        self._http = http
        self._clock = clock
        self._ids = ids
        self._public_url = public_url

    def make(
        self,
        config: CarriersConfig,
        audiosocket: AudioSocketConfig | None,
        *,
        insecure: bool = False,
    ) -> Mapping[CarrierName, Carrier]:
        """The carriers by name; `insecure`: those without a table too, of which nothing can be checked.

        Raises: ConfigError.
        """
        if insecure:
            config = _with_all(config)
        made: list[Carrier] = []
        if config.twilio is not None:
            made.append(self._twilio(config.twilio))
        if config.telnyx is not None:
            made.append(self._telnyx(config.telnyx))
        if config.plivo is not None:
            made.append(self._plivo(config.plivo))
        if config.exotel is not None:
            made.append(self._exotel(config.exotel))
        if config.vonage is not None:
            made.append(self._vonage(config.vonage))
        if config.genesys is not None:
            made.append(_genesys(config.genesys))
        if audiosocket is not None:
            made.append(AudioSocket(any_uuid=audiosocket.any_uuid or insecure))
        made += _exchanges(config)
        for each in made:
            traits_of(each.name)  # loads its protocol now, not within its first call
        return {each.name: each for each in made}

    def _twilio(self, config: TwilioConfig) -> Twilio:
        secret = _plain(config.api_key_secret) or _plain(config.auth_token)
        api = None
        if config.account_sid and secret:
            http, key = self._http(config.api_url), config.api_key_sid or ""
            api = TwilioApi(http, config.account_sid, secret, api_key=key)
        return Twilio(_plain(config.auth_token), config.account_sid, api)

    def _telnyx(self, config: TelnyxConfig) -> Telnyx:
        audio = TelnyxFormat(config.codec, config.rate_hz)
        token = _plain(config.stream_auth_token) or ""
        api = None
        if key := _plain(config.api_key):
            api = TelnyxApi(
                self._http(config.api_url),
                key,
                connection_id=config.connection_id or "",
                audio=audio,
                stream_auth_token=token,
                ids=self._ids,
            )
        options = telnyx_options(audio, config.l16_byteorder)
        return Telnyx(config.public_key, api, audio, stream_auth_token=token, options=options)

    def _plivo(self, config: PlivoConfig) -> Plivo:
        secret = _plain(config.auth_token)
        api = None
        if config.auth_id and secret:
            where = f"{self._public_url}/carriers/plivo/answer" if self._public_url else ""
            http = self._http(config.api_url)
            api = PlivoApi(http, config.auth_id, secret, transfer_url=where)
        return Plivo(secret, api, config.content_type)

    def _exotel(self, config: ExotelConfig) -> Exotel:
        token = _plain(config.api_token)
        api = None
        if config.account_sid and config.api_key and token:
            http = self._http(config.api_url)
            api = ExotelApi(http, config.account_sid, config.api_key, token)
        return Exotel(_lock(config), api, config.rate_hz)

    def _vonage(self, config: VonageConfig) -> Vonage:
        api = None
        if config.application_id and config.private_key is not None:
            api = VonageApi(
                self._http(config.api_url),
                config.application_id,
                load_rsa_key(_read(config.private_key)),
                rate_hz=config.rate_hz,
                clock=self._clock,
                ids=self._ids,
            )
        return Vonage(_plain(config.signature_secret), api, config.rate_hz)


def _genesys(config: GenesysConfig) -> Genesys:
    return Genesys(_plain(config.api_key), _plain(config.client_secret))


def _exchanges(config: CarriersConfig) -> list[Exchange]:
    made: list[Exchange] = []
    if config.asterisk is not None:
        made.append(_exchange("asterisk", config.asterisk))
    if config.jambonz is not None:
        rate_hz = config.jambonz.output_rate_hz
        played = None if rate_hz is None else MediaFormat("l16le", rate_hz)
        made.append(_exchange("jambonz", config.jambonz, WireOptions(played=played)))
    if config.audio_fork is not None:
        options = WireOptions(l16_rate_hz=config.audio_fork.rate_hz)
        made.append(_exchange("audio_fork", config.audio_fork, options))
    if config.audio_stream is not None:
        options = WireOptions(l16_rate_hz=config.audio_stream.rate_hz)
        made.append(_exchange("audio_stream", config.audio_stream, options))
    return made


def _exchange(
    name: CarrierName, config: ExchangeConfig, options: WireOptions | None = None
) -> Exchange:
    return Exchange(name, _lock(config), subprotocol=_SUBPROTOCOLS.get(name), options=options)


def _lock(config: ExchangeConfig) -> Locked:
    return Locked(_plain(config.secret), config.user, _plain(config.password))


def _with_all(config: CarriersConfig) -> CarriersConfig:
    empty: dict[str, object] = {name: {} for name in CarriersConfig.model_fields}
    return CarriersConfig.model_validate({**empty, **config.there()})


def _plain(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeError) as exc:
        why = getattr(exc, "strerror", None) or "it is no text"
        raise ConfigError(f"{path}: the private key cannot be read ({why})") from None
