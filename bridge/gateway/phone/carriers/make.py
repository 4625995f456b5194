"""The carriers that are configured, each with a client of its API where there are credentials."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import httpx
from pydantic import SecretStr

from bridge.gateway.phone.carriers.base import Carrier
from bridge.gateway.phone.carriers.twilio import Twilio
from bridge.legs.carrier_rest.twilio import TwilioApi
from bridge.phone_config import CarriersConfig, TwilioConfig
from bridge.wire.carriers.base import CarrierName

HttpFactory: TypeAlias = Callable[[str], httpx.AsyncClient]
"""A client for this base URL; it stays its maker's."""


def make_carriers(
    config: CarriersConfig, http: HttpFactory, *, insecure: bool = False
) -> Mapping[CarrierName, Carrier]:
    """The carriers by name.

    Args:
        config: their tables.
        http: makes clients for their APIs.
        insecure: those without a table are there too, and nothing of them can be checked.
    """
    if insecure:
        there = {name: getattr(config, name) for name in type(config).model_fields}
        config = CarriersConfig.model_validate(
            {name: {} if table is None else table for name, table in there.items()}
        )
    made: dict[CarrierName, Carrier] = {}
    if config.twilio is not None:
        made["twilio"] = _twilio(config.twilio, http)
    return made


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def _twilio(config: TwilioConfig, http: HttpFactory) -> Twilio:
    secret = _secret(config.api_key_secret) or _secret(config.auth_token)
    api = None
    if config.account_sid and secret:
        api = TwilioApi(
            http(config.api_url), config.account_sid, secret, api_key=config.api_key_sid or ""
        )
    return Twilio(_secret(config.auth_token), config.account_sid, api)
