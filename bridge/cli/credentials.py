"""Credentials from the environment: the variables of carriers' own tools, and where each belongs in the config."""

from collections.abc import Mapping
from typing import Final

VARIABLES: Final[Mapping[str, tuple[str, str]]] = {
    "ULTRAVOX_API_KEY": ("ai", "api_key"),
    "TWILIO_ACCOUNT_SID": ("carriers.twilio", "account_sid"),
    "TWILIO_AUTH_TOKEN": ("carriers.twilio", "auth_token"),
    "TWILIO_API_KEY_SID": ("carriers.twilio", "api_key_sid"),
    "TWILIO_API_KEY_SECRET": ("carriers.twilio", "api_key_secret"),
    "TELNYX_API_KEY": ("carriers.telnyx", "api_key"),
    "TELNYX_PUBLIC_KEY": ("carriers.telnyx", "public_key"),
    "TELNYX_STREAM_AUTH_TOKEN": ("carriers.telnyx", "stream_auth_token"),
    "PLIVO_AUTH_ID": ("carriers.plivo", "auth_id"),
    "PLIVO_AUTH_TOKEN": ("carriers.plivo", "auth_token"),
    "EXOTEL_ACCOUNT_SID": ("carriers.exotel", "account_sid"),
    "EXOTEL_API_KEY": ("carriers.exotel", "api_key"),
    "EXOTEL_API_TOKEN": ("carriers.exotel", "api_token"),
    "EXOTEL_USER": ("carriers.exotel", "user"),
    "EXOTEL_PASSWORD": ("carriers.exotel", "password"),
    "VONAGE_APPLICATION_ID": ("carriers.vonage", "application_id"),
    "VONAGE_SIGNATURE_SECRET": ("carriers.vonage", "signature_secret"),
    "GENESYS_API_KEY": ("carriers.genesys", "api_key"),
    "GENESYS_CLIENT_SECRET": ("carriers.genesys", "client_secret"),
}


def credentials(environment: Mapping[str, str]) -> dict[str, Mapping[str, object]]:
    """What the environment says, by the name of its table in the config; empty variables say nothing."""
    found: dict[str, dict[str, object]] = {}
    for variable, (table, key) in VARIABLES.items():
        if value := environment.get(variable):
            found.setdefault(table, {})[key] = value
    return dict(found)
