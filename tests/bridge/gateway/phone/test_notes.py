import pytest

from bridge.config import Config
from bridge.gateway.phone.notes import phone_notes

URL = "http://127.0.0.1:8080"
TWILIO = {"twilio": {"account_sid": "AC1", "auth_token": "a"}}
APIS = {
    **TWILIO,
    "telnyx": {"api_key": "k"},
    "plivo": {"auth_id": "i", "auth_token": "a"},
    "vonage": {"application_id": "i", "private_key": "private.key"},
}
"""Credentials for the APIs."""


def notes(**tables: object) -> list[str]:
    return list(phone_notes(Config.model_validate(tables), URL))


@pytest.mark.parametrize("tables", [{"carriers": TWILIO}, {"audiosocket": {}}])
def test_carriers_without_routes_are_told_of_and_with_one_they_are_not(
    tables: dict[str, object],
) -> None:
    with_route = notes(**tables, routes=[{"call": {"model": "m"}}])

    assert notes(**tables) == [
        "EVERY phone call that comes in is refused: the configuration has no [[routes]].",
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
    [note] = notes(server=server, carriers={name: APIS[name]}, routes=[{}])

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
    table = {"auth_id": "i", "auth_token": "change-this-token"}
    told, _ = notes(carriers={"plivo": table}, routes=[{}])

    assert told.startswith("EVERYBODY can read the example's carriers.plivo.auth_token: ")


@pytest.mark.parametrize(
    ("name", "table", "key"),
    [
        ("twilio", {"auth_token": "a"}, "account_sid"),
        ("twilio", {"account_sid": "AC1"}, "auth_token"),
        ("telnyx", {"public_key": "k"}, "api_key"),
        ("plivo", {"auth_token": "a"}, "auth_id"),
        ("plivo", {"auth_id": "i"}, "auth_token"),
        ("vonage", {}, "application_id"),
        ("vonage", {"application_id": "i"}, "private_key"),
    ],
)
def test_a_carrier_without_credentials_for_its_api_is_named_with_what_is_missing(
    name: str, table: dict[str, str], key: str
) -> None:
    told, _ = notes(carriers={name: table}, routes=[{}])

    assert f"the API of {name} (carriers.{name}.{key}): these calls cannot be placed, " in told
    assert ("Call Control calls cannot be answered at all" in told) is (name == "telnyx")


def test_all_carriers_without_credentials_share_one_line_and_one_with_them_is_not_on_it() -> None:
    carriers = {"telnyx": {}, "plivo": {}, **TWILIO, "asterisk": {}, "genesys": {}}
    lines = [line for line in notes(carriers=carriers, routes=[{}]) if "WITHOUT" in line]

    assert len(lines) == 1
    assert "of telnyx (carriers.telnyx.api_key), plivo (carriers.plivo.auth_id): " in lines[0]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"api_key": "k", "api_token": "t"}, "account_sid"),
        ({"account_sid": "a", "api_token": "t"}, "api_key"),
        ({"account_sid": "a", "api_key": "k"}, "api_token"),
        ({"account_sid": "a", "api_key": "k", "api_token": "t"}, None),
    ],
)
def test_exotel_without_credentials_cannot_have_calls_placed_and_lacks_nothing_else(
    table: dict[str, str], key: str | None
) -> None:
    *told, _ = notes(carriers={"exotel": table}, routes=[{}])

    sentence = (
        f"WITHOUT credentials for the API of exotel (carriers.exotel.{key}): "
        "its calls cannot be placed; those that come in need none."
    )
    assert told == ([] if key is None else [sentence])


def test_exotel_is_not_on_the_line_of_those_whose_api_can_do_more() -> None:
    lines = notes(carriers={"exotel": {}, "telnyx": {}}, routes=[{}])

    assert [line.count("exotel") for line in lines if "WITHOUT" in line] == [2, 0]


AWAY = {"tools": ["coldTransfer"]}
OUTGOING = {"enabled": True, "prefixes": ["+1555"]}


@pytest.mark.parametrize(
    ("outgoing", "routes", "which"),
    [
        ({}, [AWAY], "routes.0"),
        ({}, [{}, AWAY, {**AWAY, "transfer_to": "sip:a@b.example"}, AWAY], "routes.1, routes.3"),
        ({}, [{**AWAY, "transfer_to": "+15550100"}, {"tools": ["playDtmfSounds"]}], None),
        (OUTGOING, [AWAY], None),
    ],
)
def test_routes_whose_every_transfer_is_refused_are_told_of(
    outgoing: dict[str, object], routes: list[dict[str, object]], which: str | None
) -> None:
    server = {"public_url": "https://bridge.example"}
    *told, _ = notes(server=server, carriers=TWILIO, routes=routes, outgoing=outgoing)

    sentence = (
        f"EVERY coldTransfer of {which} is refused: without a transfer_to there the agent says where, "
        "within what [outgoing] allows, and outgoing.enabled is not set."
    )
    assert told == ([] if which is None else [sentence])


def test_audiosocket_is_pointed_at_its_own_port() -> None:
    [note] = notes(audiosocket={"host": "192.0.2.1", "port": 9000}, routes=[{}])

    assert note == "audiosocket: point it at TCP port 9000 of 192.0.2.1"
