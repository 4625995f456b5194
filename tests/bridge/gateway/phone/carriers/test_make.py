from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bridge.carrier_config import AudioSocketConfig, CarriersConfig
from bridge.clock import wall_clock
from bridge.errors import ConfigError
from bridge.gateway.phone.carriers.base import Carrier
from bridge.gateway.phone.carriers.make import CarrierMaker
from bridge.ids import Ids
from bridge.wire.carriers.base import CarrierName
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
