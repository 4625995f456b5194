import json
from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from bridge.errors import UsageError
from bridge.ids import Ids
from bridge.legs.carrier_rest.telnyx import API_URL, TelnyxApi
from bridge.legs.phone_line import CarrierApi, OutgoingCall, PhoneLine
from bridge.virtual import run_virtual
from bridge.wire.answers.texml import TelnyxFormat
from tests.bridge.legs.carrier_rest.far_end import Answer, FarEnd, refusal

KEY = "CANARY-api-key"
TOKEN = "CANARY-stream-token"
CALL = "v3:MdI91X4lWFEs7IgbBEOT9M4AigoY08M0WWZFISt1Yw2axZ_IiE4pqg"
URL = "wss://voice.example/carriers/telnyx/media/tok"
STREAMED = {
    "stream_url": URL,
    "stream_track": "inbound_track",
    "stream_codec": "PCMU",
    "stream_bidirectional_mode": "rtp",
    "stream_bidirectional_codec": "PCMU",
    "stream_bidirectional_sampling_rate": 8000,
    "stream_bidirectional_target_legs": "self",
}
OUTGOING = OutgoingCall(
    to="+14155550100",
    from_="+14155550199",
    stream_url=URL,
    status_url="https://voice.example/carriers/telnyx/status",
    more={"timeout_secs": 30},
)
DIALLED = httpx.Response(200, json={"data": {"call_control_id": CALL, "is_alive": False}})
DONE = httpx.Response(200, json={"data": {"result": "ok"}})
OVER = httpx.Response(
    422, json={"errors": [{"code": "90018", "title": "Call has already ended", "detail": "Over."}]}
)


def api(far_end: FarEnd, **options: Any) -> TelnyxApi:
    options = {"connection_id": "1234", "ids": Ids(1), **options}
    return TelnyxApi(far_end.client(API_URL), KEY, **options)


def line(*answers: Answer) -> tuple[PhoneLine, FarEnd]:
    far_end = FarEnd(*answers)
    return api(far_end).line(CALL), far_end


def asked(far_end: FarEnd, i: int = 0) -> tuple[str, dict[str, Any]]:
    """Where a command went, and its body without its id."""
    request = far_end.asked[i]
    body: dict[str, Any] = json.loads(request.content)
    assert len(body.pop("command_id")) == 36
    assert request.method == "POST"
    return request.url.path, body


async def refused(done: Awaitable[object]) -> str:
    return await refusal(done, KEY, CALL)


def test_the_account_is_a_carrier_api_like_any_other() -> None:
    account: CarrierApi = api(FarEnd())

    assert account.line(CALL) is not None


async def test_a_call_is_placed_with_a_stream_to_its_own_leg() -> None:
    far_end = FarEnd(DIALLED)

    assert await api(far_end, stream_auth_token=TOKEN).place(OUTGOING) == CALL

    assert asked(far_end) == (
        "/v2/calls",
        {
            "connection_id": "1234",
            "to": "+14155550100",
            "from": "+14155550199",
            "timeout_secs": 30,
            "webhook_url": "https://voice.example/carriers/telnyx/status",
            "webhook_url_method": "POST",
            "stream_auth_token": TOKEN,
            **STREAMED,
        },
    )
    assert far_end.asked[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_call_may_name_its_own_application() -> None:
    far_end = FarEnd(DIALLED)
    call = OutgoingCall("+1", "+2", URL, more={"connection_id": "own"})

    await api(far_end).place(call)

    assert asked(far_end)[1]["connection_id"] == "own"
    assert "webhook_url" not in asked(far_end)[1]


@pytest.mark.parametrize(
    "name", ["to", "From", "command_id", "stream_url", "stream_codec", "webhook_url"]
)
async def test_additional_parameters_take_nothing_of_ours_away(name: str) -> None:
    far_end = FarEnd(DIALLED)
    call = OutgoingCall("+1", "+2", URL, "https://ours", {name: "+1900"})

    assert "cannot set" in await refused(api(far_end).place(call))
    assert far_end.asked == []


def test_all_fields_are_fields_of_the_vendors_own_client() -> None:
    from telnyx.types.call_dial_params import CallDialParams
    from telnyx.types.calls.action_start_streaming_params import ActionStartStreamingParams

    far_end = FarEnd(DIALLED)
    run_virtual(api(far_end, stream_auth_token=TOKEN).place(OUTGOING))

    sent = set(json.loads(far_end.asked[0].content)) - {"from"}
    assert sent <= set(CallDialParams.__annotations__)
    assert set(STREAMED) <= set(ActionStartStreamingParams.__annotations__)


async def test_an_incoming_call_is_answered_with_its_stream() -> None:
    far_end = FarEnd(DONE)

    await api(far_end).answer_with_stream(CALL, URL)
    await api(far_end).answer_with_stream(CALL, URL, audio=TelnyxFormat("L16", 16_000))

    assert asked(far_end) == (f"/v2/calls/{CALL}/actions/answer", STREAMED)
    _, wide = asked(far_end, 1)
    assert wide["stream_codec"] == wide["stream_bidirectional_codec"] == "L16"
    assert wide["stream_bidirectional_sampling_rate"] == 16_000


async def test_an_incoming_call_is_refused_as_busy() -> None:
    far_end = FarEnd(DONE, OVER)

    await api(far_end).reject(CALL)
    await api(far_end).reject(CALL, "CALL_REJECTED")

    assert asked(far_end) == (f"/v2/calls/{CALL}/actions/reject", {"cause": "USER_BUSY"})
    assert asked(far_end, 1)[1] == {"cause": "CALL_REJECTED"}


async def test_to_answer_a_call_that_has_ended_is_told() -> None:
    error = await refused(api(FarEnd(OVER)).answer_with_stream(CALL, URL))

    assert error == "Telnyx refused to answer the call (422): Over."


async def test_to_hang_up_is_a_command_of_its_own() -> None:
    phone, far_end = line(DONE)

    await phone.hang_up()

    assert asked(far_end) == (f"/v2/calls/{CALL}/actions/hangup", {})


@pytest.mark.parametrize("code", ["90018", 90018])
async def test_to_hang_up_a_call_that_has_ended_is_a_success(code: object) -> None:
    body = {"errors": ["odd", {"code": "1"}, {"code": code}]}

    await line(httpx.Response(422, json=body))[0].hang_up()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(422, json={"errors": [{"code": "90015", "title": "No."}]}),
        httpx.Response(422, json={"errors": "90018"}),
        httpx.Response(422, content=b"90018"),
        httpx.Response(404, json={"errors": [{"code": "90018"}]}),
        httpx.Response(401, json={"errors": [{"code": "10009", "detail": f"key {KEY}"}]}),
    ],
)
async def test_a_hang_up_that_was_not_done_is_told(answer: httpx.Response) -> None:
    assert "Telnyx refused to hang up" in await refused(line(answer)[0].hang_up())


@pytest.mark.parametrize("first", [httpx.ReadError("x"), httpx.Response(502)])
def test_a_command_that_is_asked_for_twice_has_one_id(first: Answer) -> None:
    far_end = FarEnd(first, DIALLED)

    assert run_virtual(api(far_end).place(OUTGOING)) == CALL

    [one, two] = [json.loads(request.content)["command_id"] for request in far_end.asked]
    assert one == two


async def test_two_commands_have_two_ids() -> None:
    phone, far_end = line(DONE)

    await phone.hang_up()
    await phone.hang_up()

    assert len({json.loads(request.content)["command_id"] for request in far_end.asked}) == 2


async def test_a_transfer_and_keys_are_commands_of_their_own() -> None:
    phone, far_end = line(DONE)

    await phone.transfer(" sip:a@pbx.example ")
    await phone.send_digits("1w#")

    assert asked(far_end) == (
        f"/v2/calls/{CALL}/actions/transfer",
        {"to": "sip:a@pbx.example"},
    )
    assert asked(far_end, 1) == (f"/v2/calls/{CALL}/actions/send_dtmf", {"digits": "1w#"})
    with pytest.raises(UsageError):
        await phone.send_digits("x")
    with pytest.raises(UsageError):
        await phone.transfer("")
    assert len(far_end.asked) == 2


async def test_a_placed_call_without_an_id_is_told() -> None:
    error = await refused(api(FarEnd(httpx.Response(200, json={"data": []}))).place(OUTGOING))

    assert error == "Telnyx's answer has no data.call_control_id"


async def test_a_call_id_cannot_leave_its_place_in_the_path() -> None:
    far_end = FarEnd(DONE)

    await api(far_end).line("../x?y").hang_up()

    assert far_end.asked[0].url.raw_path == b"/v2/calls/..%2Fx%3Fy/actions/hangup"
