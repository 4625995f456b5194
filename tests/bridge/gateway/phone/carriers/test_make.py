from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bridge.carrier_config import (
    AudioForkConfig,
    AudioSocketConfig,
    AudioStreamConfig,
    CarriersConfig,
    CarrierTable,
    JambonzConfig,
)
from bridge.clock import wall_clock
from bridge.errors import ConfigError
from bridge.gateway.phone.carriers.base import Carrier
from bridge.gateway.phone.carriers.make import CarrierMaker
from bridge.ids import Ids
from bridge.wire.carriers.base import CarrierName, Started
from bridge.wire.carriers.make import make_wire
from tests.fakes.phone_world import TABLES


def made(
    tables: object, *, insecure: bool = False, audiosocket: bool = False
) -> dict[CarrierName, Carrier]:
    def http(base_url: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=base_url, transport=httpx.MockTransport(_none))

    maker = CarrierMaker(http, wall_clock, Ids("test"), "https://bridge.example")
    config = CarriersConfig.model_validate(tables)
    found = maker.make(config, AudioSocketConfig() if audiosocket else None, insecure=insecure)
    return dict(found)


def _none(_request: httpx.Request) -> httpx.Response:
    raise AssertionError


def test_a_carrier_is_there_when_it_is_configured_and_speaks_its_protocol() -> None:
    carriers = made(TABLES, audiosocket=True)

    assert carriers.keys() == {*TABLES, "audiosocket"}
    for name, carrier in carriers.items():
        assert make_wire(name, carrier.wire_options).traits.name == carrier.name == name
    assert made({}) == {}


def test_insecure_takes_every_carrier_that_has_an_address() -> None:
    assert made({}, insecure=True).keys() == TABLES.keys()


RATES: dict[CarrierName, tuple[str, type[CarrierTable]]] = {
    "jambonz": ("output_rate_hz", JambonzConfig),
    "audio_fork": ("rate_hz", AudioForkConfig),
    "audio_stream": ("rate_hz", AudioStreamConfig),
}


@pytest.mark.parametrize("name", RATES)
def test_every_rate_that_the_config_takes_is_one_that_the_carriers_socket_takes(
    name: CarrierName,
) -> None:
    key, table = RATES[name]
    said = table.model_json_schema()["properties"][key]
    [rates] = [each["enum"] for each in [said, *said.get("anyOf", [])] if "enum" in each]
    assert len(rates) > 1
    for rate_hz in rates:
        carrier = made({name: {**TABLES[name], key: rate_hz}})[name]
        wire = make_wire(name, carrier.wire_options)
        first = '{"callSid": "c1"}'
        [started] = wire.receive_text(first, 0.0)

        assert isinstance(started, Started)
        assert started.played.rate_hz == rate_hz


@pytest.mark.parametrize("rate_hz", [24_000, 32_000, 48_000])
def test_a_rate_at_which_mod_audio_stream_plays_nothing_is_refused_by_the_config(
    rate_hz: int,
) -> None:
    with pytest.raises(ValueError, match="8000 or 16000"):
        AudioStreamConfig.model_validate({"secret": "my-own-secret", "rate_hz": rate_hz})


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo"])
def test_a_phone_call_can_be_hung_up_where_there_are_credentials(name: CarrierName) -> None:
    carriers = made(TABLES)
    bare = made({name: {}}, insecure=True)

    assert carriers[name].line("1") is not None
    assert bare[name].line("1") is None


def test_vonages_key_is_read_from_its_file(tmp_path: Path) -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    path = tmp_path / "private.key"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    table = {"signature_secret": "x", "application_id": "a", "private_key": str(path)}

    carriers = made({"vonage": table})

    assert carriers["vonage"].line("1") is not None


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"no key"])
def test_a_key_that_cannot_be_used_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "private.key"
    if content is not None:
        path.write_bytes(content)
    table = {"signature_secret": "x", "application_id": "a", "private_key": str(path)}

    with pytest.raises(ConfigError, match="private key"):
        made({"vonage": table})
