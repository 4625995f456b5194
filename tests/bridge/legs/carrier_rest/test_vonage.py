import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bridge.errors import UsageError
from bridge.ids import Ids
from bridge.legs.carrier_rest.vonage import API_URL, VonageApi
from bridge.legs.phone_line import CarrierApi, OutgoingCall, PhoneLine
from bridge.virtual import run_virtual
from bridge.wire.answers import ncco
from tests.bridge.legs.carrier_rest.far_end import Answer, FarEnd, refusal

KEY = generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
CALL = "63f61863-4a51-4f6b-86e1-46edebcf9356"
OUTGOING = OutgoingCall(
    to="+14155550100",
    from_="+14155550199",
    stream_url="wss://voice.example/carriers/vonage/media/tok",
    status_url="https://voice.example/carriers/vonage/status",
    more={"ringing_timer": 30},
)
STARTED = httpx.Response(201, json={"uuid": CALL, "status": "started"})
GONE = httpx.Response(204)
WRONG_STATE = httpx.Response(400, json={"title": "Bad Request", "detail": "Call in wrong state"})


def api(far_end: FarEnd) -> VonageApi:
    return VonageApi(far_end.client(API_URL), "app-1", KEY, clock=lambda: NOW, ids=Ids(1))


def line(*answers: Answer) -> tuple[PhoneLine, FarEnd]:
    far_end = FarEnd(*answers)
    return api(far_end).line(CALL), far_end


def asked(far_end: FarEnd) -> list[tuple[str, str, Any]]:
    return [
        (request.method, request.url.path, json.loads(request.content or b"null"))
        for request in far_end.asked
    ]


def test_the_account_is_a_carrier_api_like_any_other() -> None:
    account: CarrierApi = api(FarEnd())

    assert account.line(CALL) is not None


async def test_a_call_is_placed_with_its_stream_in_the_request() -> None:
    far_end = FarEnd(STARTED)

    assert await api(far_end).place(OUTGOING) == CALL

    assert asked(far_end) == [
        (
            "POST",
            "/v1/calls",
            {
                "to": [{"type": "phone", "number": "14155550100"}],
                "from": {"type": "phone", "number": "14155550199"},
                "ncco": ncco.stream_actions(OUTGOING.stream_url),
                "event_url": ["https://voice.example/carriers/vonage/status"],
                "event_method": "POST",
                "ringing_timer": 30,
            },
        )
    ]


def test_each_request_has_a_token_of_the_application_of_its_own() -> None:
    import jwt

    phone, far_end = line(GONE)
    run_virtual(phone.hang_up())
    run_virtual(phone.send_digits("1"))

    tokens = [r.headers["Authorization"].removeprefix("Bearer ") for r in far_end.asked]
    loose = {"verify_exp": False, "verify_iat": False}
    one, two = (jwt.decode(t, PUBLIC, algorithms=["RS256"], options=loose) for t in tokens)  # type: ignore[arg-type]
    now_s = int(NOW.timestamp())
    assert one == {"application_id": "app-1", "iat": now_s, "exp": now_s + 900, "jti": one["jti"]}
    assert one["jti"] != two["jti"]


@pytest.mark.parametrize("name", ["to", "From", "ncco", "answer_url", "event_url"])
async def test_additional_parameters_take_nothing_of_ours_away(name: str) -> None:
    far_end = FarEnd(STARTED)
    call = OutgoingCall("+1", "+2", "wss://x", "https://s", {name: "x"})

    assert "cannot set" in await refusal(api(far_end).place(call))
    assert far_end.asked == []


async def test_to_hang_up_is_an_action_on_the_call() -> None:
    phone, far_end = line(GONE)

    await phone.hang_up()

    assert asked(far_end) == [("PUT", f"/v1/calls/{CALL}", {"action": "hangup"})]


@pytest.mark.parametrize("status", ["completed", "cancelled", "unanswered", "failed"])
async def test_to_hang_up_a_call_that_has_ended_is_a_success(status: str) -> None:
    phone, far_end = line(WRONG_STATE, httpx.Response(200, json={"status": status}))

    await phone.hang_up()

    assert [method for method, _, _ in asked(far_end)] == ["PUT", "GET"]


async def test_to_hang_up_a_call_that_is_not_known_any_more_is_a_success() -> None:
    await line(httpx.Response(404))[0].hang_up()
    await line(WRONG_STATE, httpx.Response(404))[0].hang_up()


@pytest.mark.parametrize(
    "state",
    [
        httpx.Response(200, json={"status": "answered"}),
        httpx.Response(200, json={"status": ["completed"]}),
        httpx.Response(500, json={"status": "completed"}),
        httpx.Response(200, content=b"completed"),
    ],
)
async def test_a_hang_up_that_was_not_done_is_told(state: httpx.Response) -> None:
    error = await refusal(line(WRONG_STATE, state)[0].hang_up())

    assert error == "Vonage refused to hang up (400): Call in wrong state"


def test_a_hang_up_is_asked_again_once() -> None:
    phone, far_end = line(httpx.ReadError("x"), GONE)

    run_virtual(phone.hang_up())

    assert len(far_end.asked) == 2


async def test_a_transfer_and_keys_are_asked_for() -> None:
    phone, far_end = line(GONE)

    await phone.transfer("+4930123")
    await phone.send_digits("1w#W")

    assert asked(far_end) == [
        (
            "PUT",
            f"/v1/calls/{CALL}",
            {
                "action": "transfer",
                "destination": {"type": "ncco", "ncco": ncco.transfer_actions("+4930123")},
            },
        ),
        ("PUT", f"/v1/calls/{CALL}/dtmf", {"digits": "1p#pp"}),
    ]
    for done in (phone.transfer(""), phone.send_digits("x")):
        with pytest.raises(UsageError):
            await done
    assert "refused to transfer" in await refusal(line(WRONG_STATE)[0].transfer("+491"))


async def test_a_placed_call_without_an_id_is_told() -> None:
    assert await refusal(api(FarEnd(GONE)).place(OUTGOING)) == (
        "Vonage's answer has no uuid: the JSON text is cut off"
    )


async def test_without_an_id_nothing_is_asked() -> None:
    far_end = FarEnd(GONE)

    assert "no id" in await refusal(api(far_end).line("").hang_up())
    assert far_end.asked == []
