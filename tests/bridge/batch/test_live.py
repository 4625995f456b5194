"""One call while it lasts: what the user is told when the far end is odd."""

import asyncio
import json
from pathlib import Path

import httpx
import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.batch.live import FileCall, Loaded
from bridge.batch.plan import CallerInput, CallPlan
from bridge.batch.result import CallResult
from bridge.client import CallApi
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from bridge.wire.agent_socket import Rates

RATE_HZ = 8_000
TURNS = tuple(CallerTurn(name, np.full(800, 8_000, np.int16)) for name in ("a.wav", "b.wav"))
Message = dict[str, object] | bytes


class FarEnd:
    """A call server that says what a test tells it to."""

    def __init__(
        self, socket: MediaSocket, *messages: Message, close: int | None = None, why: str = ""
    ) -> None:
        socket.start(self)
        for message in messages:
            if isinstance(message, bytes):
                socket.send_bytes(message)
            else:
                socket.send_text(json.dumps(message))
        if close is not None:
            asyncio.get_running_loop().call_later(0.5, socket.close, close, why)

    def on_text(self, text: str) -> None:
        """Not answered."""

    def on_bytes(self, data: bytes) -> None:
        """Not heard."""

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """Over."""


def play(
    *messages: Message,
    close: int | None = None,
    why: str = "",
    created: dict[str, object] | None = None,
    answer: dict[str, object] | None = None,
    **options: float,
) -> CallResult:
    async def call() -> CallResult:
        plan = CallPlan(
            inputs=tuple(CallerInput(Path(turn.name)) for turn in TURNS),
            out_dir=Path(),
            record=False,
            join_url="ws://far/end",
            **({"tail_s": 3.0} | options),  # type: ignore[arg-type]
        )
        ours, theirs = memory_pair(asyncio.get_running_loop())
        FarEnd(theirs, *messages, close=close, why=why)
        told = httpx.Response(502) if answer is None else httpx.Response(200, json=answer)
        http = httpx.AsyncClient(
            transport=httpx.MockTransport(lambda _: told), base_url="http://far"
        )
        api = CallApi(http, _no_connect)
        file_call = FileCall(plan, Loaded(TURNS, {}), {}, lambda _: None)
        agent = AgentSocketLeg(ours, Rates(RATE_HZ, RATE_HZ))
        return await file_call.run(api, agent, created or {})

    return run_virtual(call())


async def _no_connect(_url: str) -> MediaSocket:
    raise AssertionError("nothing is joined here")


def test_silent_far_end_is_waited_for_and_named() -> None:
    result = play()

    assert result.end_reason == "hangup"
    assert "the agent's side never said anything" in result.notes
    assert "never played, the agent gave them no turn: a.wav, b.wav" in result.notes


def test_a_far_end_that_only_sounds_has_said_something() -> None:
    result = play(np.full(160, 8_000, np.int16).tobytes())

    assert "the agent's side never said anything" not in result.notes


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ("unjoined", "unjoined"),
        (["a"], "agent_hangup"),
        (5, "agent_hangup"),
        ("x\x1b[31m", "agent_hangup"),
        (65 * "x", "agent_hangup"),
        (None, "agent_hangup"),
    ],
)
def test_an_end_reason_that_is_no_word_is_not_repeated(told: object, reason: str) -> None:
    answer = {"ended": "2026-01-01T00:00:00Z", "endReason": told}
    result = play(close=1000, created={"callId": "c"}, answer=answer)

    assert result.end_reason == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1000, "agent_hangup"), (1011, "connection_error"), (4000, "connection_error")],
)
def test_close_of_the_far_end_is_the_end_of_the_call(code: int, reason: str) -> None:
    result = play({"type": "call_started", "callId": "c"}, close=code)

    assert result.end_reason == reason
    assert result.end_detail
    assert result.call_id == "c"


def test_a_token_in_the_last_words_of_a_far_end_is_not_put_into_the_result() -> None:
    token = "CANARY-token"
    created: dict[str, object] = {"joinUrl": f"ws://far/calls/{token}/socket?key={token}2"}
    result = play(close=4000, why=f"bye {token}2 and {token}", created=created)

    assert result.end_detail == "the far end closed with code 4000, saying 'bye … and …'"


def test_states_are_kept_with_their_instants() -> None:
    result = play({"type": "state", "state": "listening"})

    assert [(change.state, change.at_s) for change in result.states] == [("listening", 0.0)]
    assert [item.name for item in result.inputs] == ["a.wav", "b.wav"]


def test_call_that_never_ends_is_ended_at_its_maximum() -> None:
    result = play({"type": "state", "state": "listening"}, max_duration_s=1.0)

    assert result.end_reason == "timeout"
    assert result.caller.size == pytest.approx(RATE_HZ, abs=RATE_HZ // 50)


def test_garbage_is_noted_and_harms_nothing() -> None:
    result = play({"no": "type"}, {"type": "state", "state": "listening"})

    assert result.end_reason == "hangup"
    assert any("type" in note for note in result.notes)


def test_api_that_is_gone_after_the_call_costs_only_its_messages_and_events() -> None:
    result = play({"type": "state", "state": "listening"}, close=1011, created={"callId": "c"})

    assert result.call_id == "c"
    assert result.end_reason == "connection_error"
    assert result.caller.size > 0
    [note] = [note for note in result.notes if "messages and events of the call" in note]
    assert "502" in note
