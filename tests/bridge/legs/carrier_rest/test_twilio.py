from collections.abc import Awaitable

import httpx
import pytest

from bridge.errors import UsageError
from bridge.legs.carrier_rest.twilio import API_URL, TwilioApi
from bridge.legs.phone_line import CarrierApi, OutgoingCall, PhoneLine
from bridge.virtual import run_virtual
from bridge.wire.answers import twiml
from tests.bridge.legs.carrier_rest.far_end import Answer, FarEnd, form_of, refusal

SID = "AC00000000000000000000000000000000"
CALL = "CA11111111111111111111111111111111"
TOKEN = "CANARY-auth-token"
OUTGOING = OutgoingCall(
    to="+14155550100",
    from_="+14155550199",
    stream_url="wss://voice.example/carriers/twilio/media/tok",
    status_url="https://voice.example/carriers/twilio/status",
    more={"Timeout": 30, "Record": True, "MachineDetection": "Enable"},
)
CREATED = httpx.Response(201, json={"sid": CALL, "status": "queued"})
UPDATED = httpx.Response(200, json={"sid": CALL, "status": "completed"})
OVER = httpx.Response(404, json={"code": 20404, "message": f"Calls/{CALL} was not found"})


def api(far_end: FarEnd, **options: str) -> TwilioApi:
    return TwilioApi(far_end.client(API_URL), SID, TOKEN, **options)


def line(*answers: Answer, **options: str) -> tuple[PhoneLine, FarEnd]:
    far_end = FarEnd(*answers)
    return api(far_end, **options).line(CALL), far_end


async def refused(done: Awaitable[object]) -> str:
    return await refusal(done, TOKEN, CALL)


def test_the_account_is_a_carrier_api_like_any_other() -> None:
    account: CarrierApi = api(FarEnd())

    assert account.line(CALL) is not None


async def test_a_call_is_placed_with_its_stream_in_the_request() -> None:
    far_end = FarEnd(CREATED)

    assert await api(far_end).place(OUTGOING) == CALL

    [request] = far_end.asked
    assert request.method == "POST"
    assert str(request.url) == f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Calls.json"
    assert request.headers["Authorization"] == str(httpx.BasicAuth(SID, TOKEN)._auth_header)
    assert form_of(request) == [
        ("From", "+14155550199"),
        ("MachineDetection", "Enable"),
        ("Record", "true"),
        ("StatusCallback", "https://voice.example/carriers/twilio/status"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("Timeout", "30"),
        ("To", "+14155550100"),
        ("Twiml", twiml.stream(OUTGOING.stream_url).body),
    ]


async def test_without_a_status_url_the_callers_own_is_kept() -> None:
    far_end = FarEnd(CREATED)
    call = OutgoingCall("+1", "+2", "wss://x/y", more={"StatusCallback": "https://own.example"})

    await api(far_end).place(call)

    assert ("StatusCallback", "https://own.example") in form_of(far_end.asked[0])


@pytest.mark.parametrize(
    "name", ["To", "from", "Twiml", "TWIML", "Url", "FallbackUrl", "ApplicationSid"]
)
async def test_additional_parameters_never_say_whom_to_call_or_what_to_do(name: str) -> None:
    far_end = FarEnd(CREATED)
    call = OutgoingCall("+1", "+2", "wss://x/y", more={name: "+1900"})

    assert "cannot set" in await refused(api(far_end).place(call))
    assert far_end.asked == []


async def test_additional_parameters_do_not_take_our_status_callback_away() -> None:
    call = OutgoingCall("+1", "+2", "wss://x/y", "https://ours", {"StatusCallback": "https://x"})

    assert "cannot set" in await refused(api(FarEnd(CREATED)).place(call))


async def test_a_key_of_the_api_stands_in_for_the_account() -> None:
    far_end = FarEnd(UPDATED)

    await api(far_end, api_key="SK1").line(CALL).hang_up()

    [request] = far_end.asked
    assert request.headers["Authorization"] == str(httpx.BasicAuth("SK1", TOKEN)._auth_header)
    assert f"/Accounts/{SID}/" in str(request.url)


async def test_a_stream_url_that_twilio_does_not_take_is_not_asked_for() -> None:
    far_end = FarEnd(CREATED)

    with pytest.raises(UsageError, match="no query"):
        await api(far_end).place(OutgoingCall("+1", "+2", "wss://x/y?z=1"))
    assert far_end.asked == []


async def test_a_placed_call_without_an_id_is_told() -> None:
    error = await refused(api(FarEnd(httpx.Response(201, content=b"<html>"))).place(OUTGOING))

    assert error == "Twilio's answer has no sid: the text is not JSON"


async def test_a_refused_call_is_told_in_twilios_words_without_the_number() -> None:
    words = "The phone number you are attempting to call, +14155550100, is not valid."
    answer = httpx.Response(400, json={"code": 21211, "message": words, "status": 400})

    error = await refused(api(FarEnd(answer)).place(OUTGOING))

    assert error.startswith("Twilio refused to place a call (400): The phone number")
    assert "415555" not in error


async def test_to_hang_up_is_to_complete_the_call() -> None:
    phone, far_end = line(UPDATED)

    await phone.hang_up()

    [request] = far_end.asked
    assert request.url.path == f"/2010-04-01/Accounts/{SID}/Calls/{CALL}.json"
    assert form_of(request) == [("Status", "completed")]


@pytest.mark.parametrize(
    "answer",
    [
        OVER,
        httpx.Response(404, json={"code": "20404"}),
        httpx.Response(400, json={"code": 21220, "message": "Call is not in-progress."}),
    ],
)
async def test_to_hang_up_a_call_that_has_ended_is_a_success(answer: httpx.Response) -> None:
    phone, far_end = line(answer)

    await phone.hang_up()

    assert len(far_end.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, content=b"<html>not the API</html>"),
        httpx.Response(401, json={"code": 20003, "message": "Authenticate"}),
        httpx.Response(500),
        httpx.Response(301, headers={"Location": "https://evil.test"}),
    ],
)
async def test_a_hang_up_that_was_not_done_is_told(answer: httpx.Response) -> None:
    assert "refused to hang up" in await refused(line(answer)[0].hang_up())


def test_a_hang_up_is_asked_again_once() -> None:
    phone, far_end = line(httpx.ReadError("x"), OVER)

    run_virtual(phone.hang_up())

    assert len(far_end.asked) == 2


async def test_a_hang_up_whose_answer_is_garbage_is_done() -> None:
    await line(httpx.Response(200, content=b"\xff" * 200_000))[0].hang_up()


async def test_a_transfer_redirects_the_call_and_is_asked_for_once() -> None:
    phone, far_end = line(UPDATED)

    await phone.transfer("+4930123")

    assert form_of(far_end.asked[0]) == [("Twiml", twiml.transfer("+4930123").body)]
    failing, far_end = line(httpx.ReadError("x"), UPDATED)
    await refused(failing.transfer("+4930123"))
    assert len(far_end.asked) == 1


async def test_a_transfer_of_a_call_that_has_ended_is_told() -> None:
    assert "refused to transfer the call (404)" in await refused(line(OVER)[0].transfer("+49301"))


async def test_keys_are_pressed_and_twilio_asks_the_resume_url_afterwards() -> None:
    url = "https://voice.example/carriers/twilio/answer"
    phone, far_end = line(UPDATED, resume_url=url)

    await phone.send_digits("ww1#")

    assert form_of(far_end.asked[0]) == [("Twiml", twiml.press("ww1#", url).body)]
    with pytest.raises(UsageError):
        await phone.send_digits("x")


async def test_without_a_resume_url_no_key_is_pressed() -> None:
    phone, far_end = line(UPDATED)

    assert "without ending the stream" in await refused(phone.send_digits("1"))
    assert far_end.asked == []


async def test_a_call_id_cannot_leave_its_place_in_the_path() -> None:
    far_end = FarEnd(UPDATED)

    await api(far_end).line("../../Other?x=1").hang_up()

    assert far_end.asked[0].url.raw_path.endswith(b"/Calls/..%2F..%2FOther%3Fx%3D1.json")
