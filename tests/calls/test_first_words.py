"""The caller speaks from the first packet on, and the AI call is there only seconds later: nothing is lost or late.

Every sample reaches the AI in order; what was said before comes at once, and what is said from then on comes when it
is said.
"""

import asyncio
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.gateway.phone.record import PhoneCallRecord
from bridge.legs.media_socket import MediaSocket
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16
from tests.calls.test_carriers import ONE_OF_EACH, Setup, tables_of
from tests.fakes.hosted_ai import AI_BASE, HostedAi, Joined
from tests.fakes.phone_world import phone_world

AI = {"base_url": AI_BASE, "api_key": "CANARY-ai-key"}
TWILIO = next(setup for setup in ONE_OF_EACH if setup.carrier == "twilio")
PACKET_S = 0.02


class Timed(Joined):
    """A join socket that notes when each frame came."""

    def __init__(self, socket: MediaSocket) -> None:
        super().__init__(socket)
        self.at_s: list[float] = []

    def on_bytes(self, data: bytes) -> None:
        super().on_bytes(data)
        self.at_s.append(asyncio.get_running_loop().time())

    @property
    def samples(self) -> Int16:
        return np.frombuffer(b"".join(self.audio), "<i2")

    @property
    def last_s(self) -> np.ndarray[Any, Any]:
        """When each sample came."""
        return np.repeat(self.at_s, [len(data) // 2 for data in self.audio])


class LateAi(HostedAi):
    """Joins are timed, and take their time."""

    def _take(self, socket: MediaSocket) -> None:
        joined = Timed(socket)
        self.joined.append(joined)
        socket.start(joined)
        joined.send(type="call_started", callId="ai-1")


def noise(seconds: float, rate_hz: int = 8_000) -> Int16:
    return np.random.default_rng(7).integers(-9_000, 9_000, round(rate_hz * seconds), np.int16)


async def late_call(
    ai: LateAi, setup: Setup = TWILIO, *, said_s: float = 6.0, **tables: Any
) -> tuple[Timed, PhoneCallRecord, float]:
    """A caller who speaks from the first packet to the hang-up; and when the call was answered, loop time."""
    turn = CallerTurn("noise", noise(said_s, setup.line_hz))
    plan = CallerPlan(turns=[turn], tail_s=0.0, hang_up_at_s=said_s - 0.2)
    config = {**tables_of(setup), "ai": AI, **tables}
    async with phone_world(
        name=setup.name,
        line_hz=setup.line_hz,
        options=setup.options,
        sites={AI_BASE: ai.site},
        **config,
    ) as world:
        call = await world.call(plan)
        [joined] = ai.joined
        assert isinstance(joined, Timed)
        assert call.caller.started[0].at == 0
        return joined, world.record, call.ear.started_s


@pytest.mark.parametrize(
    ("create_s", "join_s"), [(3.0, 0.0), (0.0, 3.0), (1.5, 1.5), (0.01, 0.0), (0.0, 0.0)]
)
def test_every_sample_reaches_an_ai_that_is_late_in_order_and_live_time_is_not_shifted(
    create_s: float, join_s: float
) -> None:
    ai = LateAi(create_s=create_s, join_s=join_s)
    joined, record, answered_s = run_virtual(late_call(ai))

    said = decode_ulaw(encode_ulaw(noise(6.0)))
    heard = joined.samples
    assert 5.7 <= heard.size / 8_000 <= 5.8
    assert heard.tobytes() == said[: heard.size].tobytes()
    assert record.figures.caller_audio_lost_ms == 0
    assert record.figures.preroll_ms == pytest.approx(1000 * (create_s + join_s), abs=21)

    said_at_s = answered_s + np.arange(heard.size) / 8_000
    late_s = joined.last_s - np.maximum(said_at_s, answered_s + create_s + join_s)
    # A phone records a packet before it sends it.
    assert late_s.max() <= 2 * PACKET_S + 1e-6


@pytest.mark.parametrize(("late_s", "lost_s"), [(9.9, 0.0), (12.0, 2.0)])
def test_ten_seconds_of_first_words_are_kept_and_what_is_more_is_counted_as_lost(
    late_s: float, lost_s: float
) -> None:
    ai = LateAi(create_s=late_s)
    joined, record, _ = run_virtual(late_call(ai, said_s=14.0, phone={"setup_s": 20}))

    said = decode_ulaw(encode_ulaw(noise(14.0)))
    first = min(round(8_000 * late_s), 80_000) - 400
    assert joined.samples[:first].tobytes() == said[:first].tobytes()
    assert record.figures.caller_audio_lost_ms == pytest.approx(1000 * lost_s, abs=41)
    heard_s = joined.samples.size / 8_000
    assert heard_s == pytest.approx(13.8 - lost_s, abs=0.05)


@pytest.mark.parametrize("setup", ONE_OF_EACH, ids=lambda setup: setup.carrier)
def test_an_ai_that_is_three_seconds_late_gets_all_that_was_said_at_every_carrier(
    setup: Setup,
) -> None:
    joined, record, answered_s = run_virtual(late_call(LateAi(create_s=3.0), setup))

    rate_hz = next(rate for rate in (8_000, 16_000, 24_000, 48_000) if rate >= setup.line_hz)
    heard = joined.samples
    assert heard.size / rate_hz == pytest.approx(5.8, abs=0.02 + 2 * setup.frame_ms / 1000)
    assert record.figures.caller_audio_lost_ms == 0
    assert record.figures.caller_audio_missing_ms == 0
    before = joined.last_s <= answered_s + 3.2
    assert before.sum() / rate_hz >= 2.9 - setup.frame_ms / 1000
    live_s = joined.last_s[~before] - answered_s - np.flatnonzero(~before) / rate_hz
    assert live_s.max() <= 2 * PACKET_S + setup.frame_ms / 1000
