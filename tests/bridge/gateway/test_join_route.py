import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.errors import AlreadyJoined, TokenUnknown
from bridge.calls.settings import CallSettings
from bridge.gateway.join_route import JoinTarget, claim, join_url, parse_target
from bridge.virtual import run_virtual
from tests.fakes.call_world import MEDIUM, call_world
from tests.fakes.legs import HandSocket
from tests.fakes.records import call_record

ID = "0123abcd-0123-4567-89ab-0123456789ab"
TOKEN = "a-Token_of-enough-letters"
PATH = f"/calls/{ID}/{TOKEN}/server_web_socket"
SETTINGS = CallSettings(medium=MEDIUM)


def test_what_is_written_can_be_read() -> None:
    record = call_record(ID, settings=SETTINGS)
    record.join_token = TOKEN
    url = join_url(record, "wss://host:443")

    assert url == f"wss://host:443{PATH}"
    assert parse_target(url) == parse_target(PATH) == JoinTarget(ID, TOKEN, None)


def test_a_call_without_a_medium_has_a_join_url_of_webrtc() -> None:
    record = call_record(ID, settings=CallSettings())
    record.join_token = TOKEN
    url = join_url(record, "wss://host")

    assert url == f"wss://host/calls/{ID}/{TOKEN}/webrtc"
    assert parse_target(url) == JoinTarget(ID, TOKEN, None, "webrtc")


def test_parameters_of_the_clients_own_are_passed_over_but_its_version() -> None:
    target = parse_target(f"{PATH}?apiVersion=1&clientVersion=js_1.0&experimentalMessages=debug")

    assert target == JoinTarget(ID, TOKEN, "js_1.0", wanted=("debug",))


@pytest.mark.parametrize("name", ["additionalMessages", "experimentalMessages"])
def test_a_client_may_ask_for_more_messages_whatever_its_sdk_calls_that(name: str) -> None:
    for text, wanted in (("", ()), ("debug,call_event", ("debug", "call_event")), (",,", ())):
        target = parse_target(f"{PATH}?{name}={text}")
        assert target is not None
        assert target.wanted == wanted
    many = parse_target(f"{PATH}?{name}={'x,' * 5_000}")
    assert many is not None
    assert len(many.wanted) == 32


@pytest.mark.parametrize(("n", "kept"), [(100, 100), (101, 100), (5_000, 100)])
def test_a_clients_version_is_kept_up_to_a_hundred_characters(n: int, kept: int) -> None:
    target = parse_target(f"{PATH}?clientVersion={'v' * n}")

    assert target is not None
    assert len(target.client_version or "") == kept


@pytest.mark.parametrize(
    "target",
    [
        "",
        "/",
        "/calls/x",
        f"/calls/{ID}/{TOKEN}",
        f"{PATH}/",
        f"{PATH}/more",
        f"/x{PATH}",
        PATH.replace(ID, ID[:-1]),
        PATH.replace(ID, ID.upper()),
        PATH.replace(TOKEN, "short"),
        PATH.replace(TOKEN, "t" * 65),
        PATH.replace(TOKEN, "é" * 30),
        PATH.replace(TOKEN, "../" * 10),
        "//[half" + PATH,
        "http://[::1" + PATH,
    ],
)
def test_anything_else_is_no_join_url(target: str) -> None:
    assert parse_target(target) is None


@given(st.text())
def test_any_target_can_be_read(target: str) -> None:
    assert parse_target(target) is None
    read = parse_target(f"{PATH}?{target}")
    assert read is None or read.token == TOKEN


def test_a_claim_is_taken_once_and_then_serves_the_call_on_its_socket() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            target = parse_target(f"{join_url(record, 'ws://h')}?clientVersion=v1")
            assert target is not None
            joining = await claim(world.service, target)
            with pytest.raises(AlreadyJoined):
                await claim(world.service, target)
            socket = HandSocket()
            joining.take(socket)
            await asyncio.sleep(0.1)

            assert record.live
            assert record.client_version == "v1"
            assert '"call_started"' in socket.texts[0]

    run_virtual(call())


def test_a_wrong_token_claims_nothing() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            with pytest.raises(TokenUnknown):
                await claim(world.service, JoinTarget(record.call_id, TOKEN, None))

    run_virtual(call())
