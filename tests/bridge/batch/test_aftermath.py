"""What is asked of the API when a call is over, against an API that is late, mute or odd."""

import asyncio

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.aftermath import ENDED_WITHIN_S, POLL_S, Aftermath
from bridge.client import ApiError, CallApi, JsonDict
from bridge.errors import JoinRefused
from bridge.legs.media_socket import MediaSocket
from bridge.virtual import run_virtual

MESSAGES = [{"role": "MESSAGE_ROLE_AGENT", "text": "Hello."}]
EVENTS = [{"type": "call_started"}]


async def nobody(url: str) -> MediaSocket:
    raise JoinRefused(f"nobody at {url}")


class Api:
    """An API whose call ends after so many askings."""

    def __init__(self, call: JsonDict, *, ends_after: float = 0, status: int = 200) -> None:
        self.asked: list[str] = []
        self._call = call
        self._ends_after = ends_after
        self._status = status

    def client(self) -> CallApi:
        transport = httpx.MockTransport(self._answer)
        return CallApi(httpx.AsyncClient(base_url="http://api", transport=transport), nobody)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/calls/c1").strip("/")
        self.asked.append(path)
        if path:
            return httpx.Response(200, json={"results": MESSAGES if path == "messages" else EVENTS})
        ended = self.asked.count("") > self._ends_after
        told = {**self._call, **({"ended": "2026-01-01T00:00:00Z"} if ended else {})}
        return httpx.Response(self._status, json=told)


def asked(api: Api) -> tuple[Aftermath, float]:
    """What is told of the call, and how long that took."""

    async def main() -> tuple[Aftermath, float]:
        after = await Aftermath.of(api.client(), "c1")
        return after, asyncio.get_running_loop().time()

    return run_virtual(main())


@pytest.mark.parametrize("ends_after", [0, 3])
def test_messages_and_events_are_read_once_the_end_is_recorded(ends_after: int) -> None:
    api = Api({"endReason": "hangup"}, ends_after=ends_after)

    after, took_s = asked(api)

    assert api.asked == [""] * (ends_after + 1) + ["messages", "events"]
    assert (after.messages, after.events, after.end_reason) == (MESSAGES, EVENTS, "hangup")
    assert took_s == pytest.approx(ends_after * POLL_S, abs=0.01)


def test_an_end_that_is_never_recorded_is_waited_for_and_the_rest_is_told() -> None:
    after, took_s = asked(Api({"callId": "c1"}, ends_after=float("inf")))

    assert took_s == pytest.approx(ENDED_WITHIN_S, abs=2 * POLL_S)
    assert (after.end_reason, after.messages, after.events) == (None, MESSAGES, EVENTS)


def test_an_api_that_knows_no_such_call_says_so() -> None:
    with pytest.raises(ApiError) as caught:
        asked(Api({"detail": "No call has this id."}, status=404))

    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("agent_hangup", "agent_hangup"),
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("", None),
        ("two words", None),
        ("hang\nup", None),
        ("\u00e4", None),
        (7, None),
        (None, None),
    ],
)
def test_the_end_reason_is_a_word_or_none(told: object, reason: str | None) -> None:
    assert Aftermath({"endReason": told}).end_reason == reason


@given(st.dictionaries(st.text(), st.none() | st.text() | st.lists(st.none() | st.text())))
def test_whatever_an_api_calls_a_call_has_settings_and_an_end(call: dict[str, object]) -> None:
    after = Aftermath(call)

    assert set(after.settings) <= set(call)
    assert after.end_reason is None or after.end_reason.isascii()


def test_settings_are_what_the_call_was_made_with_and_neither_secrets_nor_instants() -> None:
    call: JsonDict = {
        "model": "tipring/echo",
        "systemPrompt": "Be brief.",
        "medium": {"serverWebSocket": {}},
        "vadSettings": None,
        "maxDuration": "3600s",
        "joinUrl": "wss://api/join?token=CANARY",
        "created": "2026-01-01T00:00:00Z",
        "initialState": {"secret": 1},
    }

    kept = ("model", "systemPrompt", "medium", "maxDuration")
    assert Aftermath(call).settings == {key: call[key] for key in kept}


def test_of_a_call_that_nobody_asked_about_nothing_is_told() -> None:
    after = Aftermath()

    assert (after.call, after.messages, after.events, after.settings) == ({}, [], [], {})
    assert after.end_reason is None
