from bridge.carrier_config import CarriersConfig
from bridge.cli.credentials import VARIABLES, credentials
from bridge.config import Config


def test_every_variable_is_a_key_of_the_config() -> None:
    values = dict.fromkeys(VARIABLES, "value-of-8+")
    tables = credentials(values)

    carriers = {
        table.removeprefix("carriers."): dict(keys)
        for table, keys in tables.items()
        if table.startswith("carriers.")
    }
    CarriersConfig.model_validate(carriers)
    Config.model_validate({"ai": tables["ai"]})


def test_an_empty_or_missing_variable_says_nothing() -> None:
    assert credentials({"TWILIO_AUTH_TOKEN": "", "PATH": "/bin"}) == {}


def test_a_variable_goes_to_its_table() -> None:
    assert credentials({"TWILIO_AUTH_TOKEN": "secret"}) == {
        "carriers.twilio": {"auth_token": "secret"}
    }
