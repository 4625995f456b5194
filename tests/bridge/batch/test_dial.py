import json
from collections.abc import Callable

import httpx
import pytest
from pydantic import SecretStr

from bridge.batch.dial import POLL_S, DialPlan, follow
from bridge.client import ApiError, CallApi, JsonDict
from bridge.errors import JoinRefused, UsageError
from bridge.legs.media_socket import MediaSocket
from bridge.virtual import run_virtual

PLAN = DialPlan(carrier="twilio", to="+15550100", from_="+15550123", api_url="http://api.test")


async def _no_sockets(_url: str) -> MediaSocket:
    raise JoinRefused("nothing is joined here")


def run_against(
    answer: Callable[[httpx.Request], httpx.Response], plan: DialPlan = PLAN
) -> tuple[JsonDict, list[str]]:
    states: list[str] = []

    async def run() -> JsonDict:
        transport = httpx.MockTransport(answer)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as http:
            return await follow(CallApi(http, _no_sockets), plan, states.append)

    return run_virtual(run()), states


def lives(*states: JsonDict) -> Callable[[httpx.Request], httpx.Response]:
    """An API whose call goes through these states, one for each look."""
    left = [{"callId": "c", "joinUrl": None, "ended": None, **state} for state in states]
    return lambda _request: httpx.Response(200, json=left.pop(0) if left[1:] else left[0])


def test_a_call_is_followed_until_it_is_over() -> None:
    answer = lives({}, {}, {"joined": "t1"}, {"joined": "t1", "ended": "t2", "endReason": "hangup"})

    call, states = run_against(answer)

    assert states == ["dialling", "answered", "ended: hangup"]
    assert call["endReason"] == "hangup"


def test_one_that_is_not_waited_for_returns_at_once() -> None:
    call, states = run_against(
        lives({}), DialPlan("plivo", "1", "2", "http://api.test", wait=False)
    )

    assert states == ["dialling"]
    assert call["callId"] == "c"


def test_the_request_says_who_calls_whom_and_who_speaks() -> None:
    seen: list[JsonDict] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append({"path": request.url.path, "body": json.loads(request.content)})
        return httpx.Response(201, json={"callId": "c", "joinUrl": None, "ended": "now"})

    run_against(
        answer,
        DialPlan(
            "telnyx", "+1", "+2", "http://api.test", system_prompt="Be kind.", max_duration_s=60
        ),
    )

    assert seen == [
        {
            "path": "/api/calls",
            "body": {
                "medium": {"telnyx": {"outgoing": {"to": "+1", "from": "+2"}}},
                "joinTimeout": "90s",
                "systemPrompt": "Be kind.",
                "maxDuration": "60s",
            },
        }
    ]


def test_a_call_that_never_ends_is_not_watched_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert POLL_S >= 0.5
    monkeypatch.setattr("bridge.batch.dial.POLL_S", 60.0)  # 14,400 looks would take seconds

    with pytest.raises(ApiError, match="4 hours"):
        run_against(lives({"joined": "t1"}))


def test_a_refusal_is_one_sentence() -> None:
    with pytest.raises(ApiError, match="502: the carrier says no"):
        run_against(lambda _request: httpx.Response(502, json={"detail": "the carrier says no"}))


@pytest.mark.parametrize(
    "plan",
    [
        DialPlan("exotel", "1", "2", "http://api.test"),
        DialPlan("twilio", "1", "2", "http://api.test", agent="a", model="m"),
    ],
)
def test_a_plan_that_cannot_be_is_wrong_usage(plan: DialPlan) -> None:
    with pytest.raises(UsageError):
        plan.check()


def test_a_key_does_not_show_in_a_plan() -> None:
    plan = DialPlan("twilio", "1", "2", "http://api.test", api_key=SecretStr("s3cret-key"))

    assert "s3cret" not in repr(plan)


def unjoined(events: object) -> Callable[[httpx.Request], httpx.Response]:
    """An API whose call is never joined, and what it tells of that."""
    call = {"callId": "c", "joinUrl": None, "ended": "t", "endReason": "unjoined"}

    def answer(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("/events"):
            return httpx.Response(201, json=call)
        if events is None:
            return httpx.Response(404, json={"detail": "Not found."})
        return httpx.Response(200, json={"results": events})

    return answer


def event(text: object, severity: str = "warning") -> dict[str, object]:
    return {"severity": severity, "text": text}


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([event("The called phone was busy.")], "ended: unjoined (The called phone was busy)"),
        ([event("a"), event("b", "error"), event("c", "info")], "ended: unjoined (b)"),
        ([event("a\nb\x1b[2J")], r"ended: unjoined (a\nb\x1b[2J)"),
        ([event("x" * 500)], f"ended: unjoined ({200 * 'x'})"),
        ([event(5)], "ended: unjoined"),
        ([event("c", "info")], "ended: unjoined"),
        ([], "ended: unjoined"),
        (None, "ended: unjoined"),
    ],
)
def test_a_call_that_nobody_joined_says_why_where_the_api_knows(events: object, state: str) -> None:
    _, states = run_against(unjoined(events))

    assert states == [state]
