"""The example configs for phone calls load, and name every key there is."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import BaseModel

from bridge import carrier_config, phone_config
from bridge.carrier_config import CarriersConfig
from bridge.config import load_config
from bridge.errors import ConfigError
from bridge.gateway.phone.route_check import check_routes
from bridge.testing.carriers.make import CARRIERS, known
from bridge.testing.carriers.telnyx.exchange import TEST_KEY
from bridge.testing.signing.telnyx import public_key

FOLDER = Path(__file__).parents[2] / "config"
OWN = [
    table
    for module in (phone_config, carrier_config)
    for name, table in vars(module).items()
    if isinstance(table, type) and issubclass(table, BaseModel) and name.endswith("Config")
]


def test_the_explained_config_loads_with_every_carrier() -> None:
    config = load_config(FOLDER / "gateway.toml", {"host": "127.0.0.1"})
    check_routes(config)

    assert config.carriers.there().keys() == set(type(config.carriers).model_fields)
    assert [route.carrier for route in config.routes] == ["twilio", "*"]


def test_the_explained_config_is_refused_as_it_stands_key_by_key() -> None:
    text = (FOLDER / "gateway.toml").read_text()
    named: dict[str, Mapping[str, object]] = {}

    for _ in range(text.count('"change-this-') + 1):
        with pytest.raises(ConfigError, match="the example's") as caught:
            load_config(FOLDER / "gateway.toml", None, named)
        table, _, key = str(caught.value).split("the example's ")[1].split(",")[0].rpartition(".")
        own: object = ["my-own-secret"] if key == "api_keys" else "my-own-secret"
        named[table] = {**named.get(table, {}), key: own}
        if table == "carriers.audio_stream":
            break

    assert load_config(FOLDER / "gateway.toml", None, named).server.host == "0.0.0.0"
    assert len(named) == 1 + len(CarriersConfig.model_fields)


@pytest.mark.parametrize("table", OWN, ids=lambda table: str(table.__name__))
def test_the_explained_config_names_every_key(table: type[BaseModel]) -> None:
    text = (FOLDER / "gateway.toml").read_text()

    missing = [
        key
        for key in table.model_fields
        if f"{key} =" not in text and f".{key}]" not in text and f"[{key}]" not in text
    ]

    assert not missing


def test_the_local_config_is_for_the_emulators_own_account() -> None:
    config = load_config(FOLDER / "gateway-local.toml")
    check_routes(config)
    twilio, account = config.carriers.twilio, known("twilio").test_account

    assert twilio is not None
    assert twilio.auth_token is not None
    assert (twilio.account_sid, twilio.auth_token.get_secret_value()) == (
        account.account_id,
        account.token,
    )
    assert not config.phone.insecure


def test_the_local_config_has_every_carrier_that_is_emulated() -> None:
    config = load_config(FOLDER / "gateway-local.toml")
    there = {*config.carriers.there(), "audiosocket"}

    assert config.audiosocket is not None
    assert there == {name.removesuffix("-texml") for name in CARRIERS}
    telnyx = config.carriers.telnyx
    assert telnyx is not None
    assert telnyx.public_key == public_key(TEST_KEY)
