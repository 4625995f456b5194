"""The example config for calls out loads, and fits the emulators and what its own text says to type."""

import asyncio
from pathlib import Path

from bridge.calls.settings import CallSettings, Dial, PhoneCarrier, PhoneMedium
from bridge.config import load_config
from bridge.gateway.admission import Admission
from bridge.gateway.dial_limits import DialLimits
from bridge.gateway.phone.carriers.configured import configured_carriers
from bridge.gateway.phone_lines import PhoneLines
from bridge.gateway.phones import ConfiguredPhones
from bridge.testing.carriers.make import known
from bridge.testing.carriers.telnyx.exchange import TEST_KEY
from bridge.testing.run import DEFAULT_API_PORT
from bridge.testing.signing.telnyx import public_key
from tests.fakes.records import call_record

CARRIERS: tuple[PhoneCarrier, ...] = ("twilio", "telnyx", "plivo")
FILE = Path(__file__).parents[2] / "config" / "outgoing-local.toml"


def test_the_accounts_are_the_emulators_own() -> None:
    config = load_config(FILE)
    carriers = config.carriers
    assert carriers.there().keys() == set(CARRIERS)
    assert carriers.twilio is not None
    assert carriers.twilio.account_sid == known("twilio").test_account.account_id
    assert carriers.telnyx is not None
    assert carriers.telnyx.public_key == public_key(TEST_KEY)
    assert carriers.plivo is not None
    assert carriers.plivo.auth_id == known("plivo").test_account.account_id
    for table in (carriers.twilio, carriers.telnyx, carriers.plivo):
        assert table.api_url == f"http://127.0.0.1:{DEFAULT_API_PORT}"


async def test_the_call_that_it_says_to_type_is_let_in_at_every_carrier() -> None:
    config = load_config(FILE)
    number = FILE.read_text().partition("tipring dial ")[2].split()[0]
    loop = asyncio.get_running_loop()
    async with configured_carriers(config) as carriers:
        lines = PhoneLines(Admission())
        phones = ConfiguredPhones(config, carriers, DialLimits(config.outgoing, loop.time), lines)
        for carrier in CARRIERS:
            medium = PhoneMedium(carrier, outgoing=Dial(number, "+15550123000"))
            call = call_record(carrier, settings=CallSettings(medium=medium))
            phones.admit(call)
            phones.ended(call)
