"""What each carrier's webhooks say: calls that come, calls that move, and what is no webhook at all."""

import json
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway.phone.carriers.base import (
    AFTER_STREAM,
    CallComes,
    CallGoesTo,
    CallMoved,
    Carrier,
    News,
    NothingToDo,
    PhoneNumbers,
    StreamIsOver,
)
from bridge.gateway.phone.carriers.by_socket import Locked
from bridge.gateway.phone.carriers.exotel import Exotel
from bridge.gateway.phone.carriers.plivo import Plivo
from bridge.gateway.phone.carriers.reading import WebhookUnclear
from bridge.gateway.phone.carriers.telnyx import Telnyx
from bridge.gateway.phone.carriers.twilio import Twilio
from bridge.gateway.phone.carriers.vonage import Vonage
from bridge.wire.carriers.base import StartInfo
from bridge.wire.signatures.request import SignedRequest

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
BOTH = PhoneNumbers("+1555", "+1666")
OUT = PhoneNumbers("+1555", "+1666", "outbound")


def form(**fields: str) -> SignedRequest:
    return SignedRequest("POST", "/x", FORM, urlencode(fields).encode())


def query(**fields: str) -> SignedRequest:
    return SignedRequest("GET", f"/x?{urlencode(fields)}")


def as_json(value: object) -> SignedRequest:
    return SignedRequest("POST", "/x", JSON, json.dumps(value).encode())


def telnyx_event(event_type: str, **payload: str) -> SignedRequest:
    told = {"call_control_id": "v3:1", **payload}
    return as_json({"data": {"event_type": event_type, "payload": told}})


CALL = {"CallSid": "CA1", "From": "+1555", "To": "+1666"}
PLIVO = {"CallUUID": "u1", "From": "+1555", "To": "+1666"}
SAYS: list[tuple[Carrier, SignedRequest, News]] = [
    (
        Twilio(None),
        form(**CALL, AccountSid="AC1", CallStatus="ringing"),
        CallComes("CA1", BOTH, "AC1", once=True),
    ),
    (Twilio(None), query(**CALL, AccountSid="AC1"), CallComes("CA1", BOTH, "AC1", once=True)),
    (Twilio(None), form(**CALL, Direction="outbound-api"), CallComes("CA1", OUT, once=True)),
    (Twilio(None), form(**CALL, CallStatus="in-progress"), CallComes("CA1", BOTH)),
    (Twilio(None), form(**CALL, CallStatus="completed"), CallMoved("CA1", "completed", over=True)),
    (Twilio(None), form(**CALL, CallStatus="busy"), CallMoved("CA1", "busy", over=True)),
    (
        Twilio(None),
        form(**CALL, CallStatus="in-progress", CallbackSource="call-progress-events"),
        CallMoved("CA1", "in-progress"),
    ),
    (Twilio(None), form(CallSid="CA1", StreamEvent="stream-started"), CallMoved("CA1")),
    (
        Twilio(None),
        form(CallSid="CA1", StreamEvent="stream-error", StreamError="31920"),
        CallMoved("CA1", stream_failed=True, detail="31920"),
    ),
    (
        Telnyx(None),
        telnyx_event("call.initiated", direction="incoming", **{"from": "+1555", "to": "+1666"}),
        CallComes("v3:1", BOTH, by_rest=True),
    ),
    (
        Telnyx(None),
        telnyx_event("call.initiated", direction="outgoing"),
        CallMoved("v3:1", "call.initiated"),
    ),
    (Telnyx(None), telnyx_event("call.answered"), CallMoved("v3:1", "call.answered")),
    (
        Telnyx(None),
        telnyx_event("call.hangup", hangup_cause="user_busy"),
        CallMoved("v3:1", "user_busy", over=True),
    ),
    (
        Telnyx(None),
        telnyx_event("streaming.failed", failure_reason="connection_failed"),
        CallMoved("v3:1", stream_failed=True, detail="connection_failed"),
    ),
    (Telnyx(None), telnyx_event("streaming.started"), NothingToDo()),
    (Telnyx(None), as_json({"data": {"event_type": "call.initiated"}}), NothingToDo()),
    (Telnyx(None), form(**CALL, CallStatus="ringing"), CallComes("CA1", BOTH)),
    (Telnyx(None), form(**CALL, CallStatus="completed"), CallMoved("CA1", "completed", over=True)),
    (
        Plivo(None),
        form(**PLIVO, Event="StartApp", Direction="inbound", CallStatus="ringing"),
        CallComes("u1", BOTH, once=True),
    ),
    (Plivo(None), form(**PLIVO, Event="StartApp"), CallComes("u1", BOTH, once=True)),
    (
        Plivo(None),
        form(**PLIVO, Direction="outbound", CallStatus="in-progress"),
        CallComes("u1", OUT),
    ),
    (
        Plivo(None),
        form(**PLIVO, Event="Hangup", CallStatus="completed"),
        CallMoved("u1", "completed", over=True),
    ),
    (Plivo(None), form(**PLIVO, Event="Ring", CallStatus="ringing"), CallMoved("u1", "ringing")),
    (Plivo(None), form(**PLIVO, Event="StartStream", StreamID="s"), CallMoved("u1")),
    (
        Plivo(None),
        form(**PLIVO, Event="failed", StreamID="s", StatusReason="no route"),
        CallMoved("u1", stream_failed=True, detail="no route"),
    ),
    (
        Plivo(None),
        SignedRequest("POST", "/x?transfer_to=%2B1777", FORM, urlencode(PLIVO).encode()),
        CallGoesTo("+1777"),
    ),
    (
        Telnyx(None),
        SignedRequest("POST", f"/x?{AFTER_STREAM}", FORM, b"CallSid=t1&CallStatus=in-progress"),
        StreamIsOver("t1"),
    ),
    (
        Exotel(Locked()),
        query(CallSid="e1", CallFrom="+1555", CallTo="+1666", Direction="incoming"),
        CallComes("e1", BOTH),
    ),
    (
        Exotel(Locked()),
        form(CallSid="e1", EventType="terminal", Status="completed"),
        CallMoved("e1", "completed", over=True),
    ),
    (Vonage(None), query(uuid="v1", **{"from": "+1555", "to": "+1666"}), CallComes("v1", BOTH)),
    (Vonage(None), as_json({"uuid": "v1", "from": "+1555", "to": "+1666"}), CallComes("v1", BOTH)),
    (
        Vonage(None),
        as_json({"uuid": "v1", "status": "completed"}),
        CallMoved("v1", "completed", over=True),
    ),
    (Vonage(None), as_json({"uuid": "v1", "status": "ringing"}), CallMoved("v1", "ringing")),
]


@pytest.mark.parametrize(("carrier", "request_", "news"), SAYS)
def test_a_webhook_is_read_as_the_carrier_documents_it(
    carrier: Carrier, request_: SignedRequest, news: News
) -> None:
    assert carrier.read(request_) == news


UNCLEAR: list[tuple[Carrier, SignedRequest]] = [
    (Twilio(None), form(From="+1")),
    (Twilio(None, "AC1"), form(**CALL, AccountSid="AC2")),
    (Twilio(None), SignedRequest("POST", "/x", FORM, b"\xff\xfe")),
    (Plivo(None), form(CallUUID=" ")),
    (Exotel(Locked()), query()),
    (Vonage(None), as_json({"from": "+1"})),
    (Vonage(None), as_json([])),
    (Vonage(None), SignedRequest("POST", "/x", JSON, b"{")),
    (Telnyx(None), form(From="+1")),
]


@pytest.mark.parametrize(("carrier", "request_"), UNCLEAR)
def test_a_webhook_that_lacks_what_it_must_say_is_unclear(
    carrier: Carrier, request_: SignedRequest
) -> None:
    with pytest.raises(WebhookUnclear):
        carrier.read(request_)


MAKE: list[Callable[[], Carrier]] = [
    lambda: Twilio(None),
    lambda: Telnyx(None),
    lambda: Plivo(None),
    lambda: Vonage(None),
    lambda: Exotel(Locked()),
]


@given(
    body=st.binary(max_size=200)
    | st.text(max_size=60).map(lambda text: f"CallSid={text}".encode()),
    kind=st.sampled_from([FORM, JSON, {}]),
    method=st.sampled_from(["GET", "POST"]),
    target=st.text(max_size=40).map(lambda text: f"/x?{text}"),
)
def test_any_request_is_news_or_unclear_and_what_is_kept_of_it_is_bounded(
    body: bytes, kind: dict[str, str], method: str, target: str
) -> None:
    for make in MAKE:
        try:
            news = make().read(SignedRequest(method, target, kind, body))
        except WebhookUnclear:
            continue
        if isinstance(news, CallComes):
            assert 0 < len(news.call_id) <= 256


@pytest.mark.parametrize(
    ("info", "numbers"),
    [
        (StartInfo("1", from_number="+1555", to_number="+1666"), BOTH),
        (StartInfo("1", parameters={"from": "+1555", "to": "+1666"}), BOTH),
        (
            StartInfo("1", from_number="+1555", to_number="+1666", more={"direction": "outbound"}),
            OUT,
        ),
        (StartInfo("1"), PhoneNumbers()),
    ],
)
def test_who_calls_whom_is_in_the_start_or_in_its_parameters(
    info: StartInfo, numbers: PhoneNumbers
) -> None:
    assert Carrier().numbers_of(info) == numbers
