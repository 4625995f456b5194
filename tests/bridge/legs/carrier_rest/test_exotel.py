from collections.abc import Awaitable

import httpx
import pytest

from bridge.legs.carrier_rest.exotel import API_URL, ExotelApi
from bridge.legs.phone_line import CarrierApi, OutgoingCall, PhoneLine
from tests.bridge.legs.carrier_rest.far_end import FarEnd, form_of, refusal

KEY = "key-1"
TOKEN = "CANARY-api-token"
SID = "a1b2c3d4e5f6"
OUTGOING = OutgoingCall(
    to="+919876543210",
    from_="08047491899",
    stream_url="wss://voice.example/carriers/exotel/media/tok?sample-rate=16000",
    status_url="https://voice.example/carriers/exotel/status",
    more={"TimeLimit": 600, "Record": False},
)
PLACED = httpx.Response(200, json={"Call": {"Sid": SID, "Status": "in-progress"}})


def api(far_end: FarEnd) -> ExotelApi:
    return ExotelApi(far_end.client(API_URL), "acct", KEY, TOKEN)


async def refused(done: Awaitable[object]) -> str:
    return await refusal(done, TOKEN)


def test_the_account_is_a_carrier_api_like_any_other() -> None:
    account: CarrierApi = api(FarEnd())

    assert account.line(SID) is not None


async def test_a_call_is_placed_straight_to_its_stream() -> None:
    far_end = FarEnd(PLACED)

    assert await api(far_end).place(OUTGOING) == SID

    [request] = far_end.asked
    assert str(request.url) == "https://api.exotel.com/v1/Accounts/acct/Calls/connect.json"
    assert request.headers["Authorization"] == str(httpx.BasicAuth(KEY, TOKEN)._auth_header)
    assert form_of(request) == [
        ("CallerId", "08047491899"),
        ("From", "+919876543210"),
        ("Record", "false"),
        ("StatusCallback", "https://voice.example/carriers/exotel/status"),
        ("StatusCallbackEvents[]", "answered"),
        ("StatusCallbackEvents[]", "ringing"),
        ("StatusCallbackEvents[]", "terminal"),
        ("StreamType", "bidirectional"),
        ("StreamUrl", "wss://voice.example/carriers/exotel/media/tok?sample-rate=16000"),
        ("TimeLimit", "600"),
    ]


@pytest.mark.parametrize("name", ["From", "to", "streamurl", "Url", "StatusCallbackEvents[]"])
async def test_additional_parameters_take_nothing_of_ours_away(name: str) -> None:
    far_end = FarEnd(PLACED)
    call = OutgoingCall("+1", "+2", "wss://x", "https://s", {name: "x"})

    assert "cannot set" in await refused(api(far_end).place(call))
    assert far_end.asked == []


@pytest.mark.parametrize("status", [200, 400, 403])
async def test_a_refused_call_is_told_whatever_its_status(status: int) -> None:
    words = {"RestException": {"Status": 400, "Message": "Bad CallerId 08047491899", "Code": 34001}}

    error = await refused(api(FarEnd(httpx.Response(status, json=words))).place(OUTGOING))

    assert error == f"Exotel refused to place a call ({status}): Bad CallerId …"


async def test_a_placed_call_without_an_id_is_told() -> None:
    error = await refused(
        api(FarEnd(httpx.Response(200, content=b"<TwilioResponse/>"))).place(OUTGOING)
    )

    assert error == "Exotel's answer has no Call.Sid: the text is not JSON"


async def test_what_the_api_cannot_do_is_told() -> None:
    far_end = FarEnd(PLACED)
    line: PhoneLine = api(far_end).line(SID)

    assert "stream is closed" in await refused(line.hang_up())
    assert "applet" in await refused(line.transfer("+1"))
    assert "no keys" in await refused(line.send_digits("1"))
    assert far_end.asked == []
