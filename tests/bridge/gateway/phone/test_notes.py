import pytest

from bridge.config import Config
from bridge.gateway.phone.notes import phone_notes

URL = "http://127.0.0.1:8080"
TWILIO = {"twilio": {"auth_token": "a"}}


def notes(**tables: object) -> list[str]:
    return list(phone_notes(Config.model_validate(tables), URL))


@pytest.mark.parametrize("tables", [{"carriers": TWILIO}, {"audiosocket": {}}])
def test_carriers_without_routes_are_told_of_and_with_one_they_are_not(
    tables: dict[str, object],
) -> None:
    with_route = notes(**tables, routes=[{"call": {"model": "m"}}])

    assert notes(**tables) == [
        "EVERY phone call is refused: the configuration has no [[routes]].",
        *with_route,
    ]
    assert len(with_route) == 1


def test_a_service_without_carriers_has_nothing_to_tell() -> None:
    assert notes() == []


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo", "vonage"])
@pytest.mark.parametrize(
    ("server", "web"),
    [({}, URL), ({"public_url": "wss://bridge.example/p/"}, "https://bridge.example/p")],
)
def test_a_carrier_that_asks_is_pointed_at_its_answer_url(
    name: str, server: dict[str, str], web: str
) -> None:
    [note] = notes(server=server, carriers={name: {}}, routes=[{}])

    assert note == (
        f"{name}: point it at {web}/carriers/{name}/answer, "
        f"and its status callback at {web}/carriers/{name}/status"
    )


@pytest.mark.parametrize(
    ("table", "end"),
    [
        ({"secret": "a-real-secret"}, "/media/ and carriers.asterisk.secret behind it"),
        ({"user": "u", "password": "p"}, "/media/-"),
    ],
)
def test_a_carrier_that_opens_its_socket_at_once_is_pointed_there_without_its_secret(
    table: dict[str, str], end: str
) -> None:
    [note] = notes(carriers={"asterisk": table}, routes=[{}])

    assert note == f"asterisk: point it at ws://127.0.0.1:8080/carriers/asterisk{end}"


def test_a_secret_of_the_examples_is_told_of() -> None:
    told, _ = notes(carriers={"plivo": {"auth_token": "change-this-token"}}, routes=[{}])

    assert told.startswith("EVERYBODY can read the example's carriers.plivo.auth_token: ")


def test_audiosocket_is_pointed_at_its_own_port() -> None:
    [note] = notes(audiosocket={"host": "192.0.2.1", "port": 9000}, routes=[{}])

    assert note == "audiosocket: point it at TCP port 9000 of 192.0.2.1"
