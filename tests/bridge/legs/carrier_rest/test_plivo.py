import json
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from bridge.errors import UsageError
from bridge.legs.carrier_rest.plivo import API_URL, PlivoApi
from bridge.legs.phone_line import CarrierApi, OutgoingCall, PhoneLine
from bridge.virtual import run_virtual
from tests.bridge.legs.carrier_rest.far_end import Answer, FarEnd, refusal

AUTH_ID = "MA0000000000000000AA"
TOKEN = "CANARY-auth-token"
CALL = "97ceeb52-58b6-11e1-86da-77300b68f8bb"
ANSWER_URL = "https://voice.example/carriers/plivo/answer?call=c1"
TRANSFER_URL = "https://voice.example/carriers/plivo/answer"
OUTGOING = OutgoingCall(
    to="+14155550100",
    from_="+14155550199",
    stream_url="wss://voice.example/carriers/plivo/media/tok",
    status_url="https://voice.example/carriers/plivo/status",
    more={"ring_timeout": 30},
    answer_url=ANSWER_URL,
)
FIRED = httpx.Response(
    201, json={"message": "call fired", "request_uuid": CALL, "api_id": "97ceeb52"}
)
GONE = httpx.Response(204)
NOT_FOUND = httpx.Response(404, json={"api_id": "x", "error": "call not found"})
ACCEPTED = httpx.Response(202, json={"message": "call transferred", "api_id": "x"})


def api(far_end: FarEnd, transfer_url: str = TRANSFER_URL) -> PlivoApi:
    return PlivoApi(far_end.client(API_URL), AUTH_ID, TOKEN, transfer_url=transfer_url)


def line(*answers: Answer, call_id: str = CALL) -> tuple[PhoneLine, FarEnd]:
    far_end = FarEnd(*answers)
    return api(far_end).line(call_id), far_end


def asked(far_end: FarEnd) -> list[tuple[str, str]]:
    return [(request.method, request.url.path) for request in far_end.asked]


def body_of(far_end: FarEnd) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(far_end.asked[0].content)
    return body


async def refused(done: Awaitable[object]) -> str:
    return await refusal(done, TOKEN)


def test_the_account_is_a_carrier_api_like_any_other() -> None:
    account: CarrierApi = api(FarEnd())

    assert account.line(CALL) is not None


async def test_a_call_is_placed_with_a_url_to_ask_when_it_is_answered() -> None:
    far_end = FarEnd(FIRED)

    assert await api(far_end).place(OUTGOING) == CALL

    assert asked(far_end) == [("POST", f"/v1/Account/{AUTH_ID}/Call/")]
    assert body_of(far_end) == {
        "to": "+14155550100",
        "from": "+14155550199",
        "answer_url": ANSWER_URL,
        "answer_method": "POST",
        "hangup_url": "https://voice.example/carriers/plivo/status",
        "ring_url": "https://voice.example/carriers/plivo/status",
        "ring_timeout": 30,
    }
    sent = far_end.asked[0].headers["Authorization"]
    assert sent == str(httpx.BasicAuth(AUTH_ID, TOKEN)._auth_header)


@pytest.mark.parametrize(
    "name", ["to", "From", "answer_url", "answer_method", "fallback_url", "hangup_url"]
)
async def test_additional_parameters_take_nothing_of_ours_away(name: str) -> None:
    far_end = FarEnd(FIRED)
    call = OutgoingCall("+1", "+2", "wss://x", "https://s", {name: "x"}, "https://a")

    assert "cannot set" in await refused(api(far_end).place(call))
    assert far_end.asked == []


async def test_without_a_url_to_ask_or_to_several_numbers_no_call_is_placed() -> None:
    far_end = FarEnd(FIRED)

    error = await refused(api(far_end).place(OutgoingCall("+1", "+2", "wss://x")))
    assert "needs a URL" in error
    several = OutgoingCall("+1<+1900", "+2", "wss://x", answer_url="https://a")
    assert "one number" in await refused(api(far_end).place(several))
    assert far_end.asked == []


async def test_to_hang_up_is_to_delete_the_call() -> None:
    phone, far_end = line(GONE)

    await phone.hang_up()

    assert asked(far_end) == [("DELETE", f"/v1/Account/{AUTH_ID}/Call/{CALL}/")]


async def test_a_call_that_is_not_up_yet_is_ended_by_the_id_of_its_request() -> None:
    phone, far_end = line(NOT_FOUND, GONE)

    await phone.hang_up()

    assert asked(far_end)[1] == ("DELETE", f"/v1/Account/{AUTH_ID}/Request/{CALL}/")


async def test_to_hang_up_a_call_that_has_ended_is_a_success() -> None:
    phone, far_end = line(NOT_FOUND)

    await phone.hang_up()

    assert len(far_end.asked) == 2


@pytest.mark.parametrize("call_id", ["", ".", ".."])
async def test_without_an_id_not_all_calls_of_the_account_are_ended(call_id: str) -> None:
    phone, far_end = line(GONE, call_id=call_id)

    for done in (phone.hang_up(), phone.transfer("+1"), phone.send_digits("1")):
        assert await refused(done) == "the call has no id at its carrier"
    assert far_end.asked == []


@pytest.mark.parametrize("status", [400, 401, 500, 307])
async def test_a_hang_up_that_was_not_done_is_told(status: int) -> None:
    answer = httpx.Response(status, json={"error": f"no {TOKEN} for +14155550100"})

    error = await refused(line(answer)[0].hang_up())

    assert error == f"Plivo refused to hang up ({status}): no … for …"


def test_a_hang_up_is_asked_again_once() -> None:
    phone, far_end = line(httpx.Response(503), GONE)

    run_virtual(phone.hang_up())

    assert len(far_end.asked) == 2


async def test_a_transfer_names_a_url_that_says_whom_to_connect() -> None:
    phone, far_end = line(ACCEPTED)

    await phone.transfer("sip:a&b@pbx.example")

    assert asked(far_end) == [("POST", f"/v1/Account/{AUTH_ID}/Call/{CALL}/")]
    assert body_of(far_end) == {
        "legs": "aleg",
        "aleg_url": f"{TRANSFER_URL}?transfer_to=sip%3Aa%26b%40pbx.example",
    }
    with pytest.raises(UsageError):
        await phone.transfer(" ")


async def test_without_a_url_to_ask_no_call_is_transferred() -> None:
    far_end = FarEnd(ACCEPTED)

    error = await refused(api(far_end, transfer_url="").line(CALL).transfer("+491"))

    assert "only with a URL" in error
    assert far_end.asked == []


async def test_a_transfer_of_a_call_that_has_ended_is_told() -> None:
    error = await refused(line(NOT_FOUND)[0].transfer("+491"))

    assert error == "Plivo refused to transfer the call (404): call not found"


async def test_keys_are_pressed_while_the_stream_goes_on() -> None:
    phone, far_end = line(ACCEPTED)

    await phone.send_digits("1w#")

    assert asked(far_end) == [("POST", f"/v1/Account/{AUTH_ID}/Call/{CALL}/DTMF/")]
    assert body_of(far_end) == {"digits": "1w#"}
    with pytest.raises(UsageError):
        await phone.send_digits("")


async def test_a_placed_call_without_an_id_is_told() -> None:
    answer = httpx.Response(201, json={"request_uuid": ["a", "b"]})

    assert (
        await refused(api(FarEnd(answer)).place(OUTGOING)) == "Plivo's answer has no request_uuid"
    )
