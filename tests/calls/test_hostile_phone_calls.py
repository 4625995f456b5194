"""A hostile call beside nine clean ones: it ends at most itself, with a reason, and the nine hear every sample on time.

The nine are compared to the sample with a run in which there is no tenth. What the tenth does is what the reliability
reference (4.3, T2 to T9, T12) knows of hostile or broken carriers.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.brains.echo import EchoBrain
from bridge.errors import JoinRefused
from bridge.testing.caller import CallerPlan
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16
from tests.fakes.phone_world import ENTRIES, TABLES, TCP, PhoneWorld, phone_world
from tests.fakes.rogue import ULAW, Rogue

N_CLEAN = 9
SAID_S = 1.2
HANG_UP_S = 2.0
Act = Callable[[Rogue], Awaitable[None]]


def voice(n: int) -> Int16:
    """Each caller's own, so that one in another's ear would show."""
    return np.random.default_rng(n).integers(-8_000, 8_000, round(8_000 * SAID_S), np.int16)


def clean_plan(n: int) -> CallerPlan:
    return CallerPlan(turns=[CallerTurn("voice", voice(n))], tail_s=0.5, hang_up_at_s=HANG_UP_S)


@dataclass
class Outcome:
    """The calls of nine callers, and what the record says of all ten."""

    calls: list[PhoneCall]
    records: list[dict[str, Any]]

    @property
    def heard(self) -> list[bytes]:
        """What each of the nine heard."""
        return [call.ear.heard().tobytes() for call in self.calls]

    @property
    def begun_s(self) -> list[float]:
        return [call.ear.started_s for call in self.calls]

    @property
    def hostile(self) -> list[dict[str, Any]]:
        """The records of other calls than the nine."""
        clean = {call.facts.call_id for call in self.calls}
        return [record for record in self.records if record["carrierCallId"] not in clean]


async def clean_call(world: PhoneWorld, n: int) -> PhoneCall:
    await asyncio.sleep(0.0137 * n)
    call = world.ring(clean_plan(n))
    await call.run()
    return call


async def ten_calls(act: Act | None) -> Outcome:
    tables: dict[str, Any] = {
        "phone": {"start_s": 2.0, "max_calls": N_CLEAN + 1},
        "carriers": {name: TABLES[name] for name in ("twilio", "exotel", "audio_fork")},
        "audiosocket": {"any_uuid": True},
    }
    async with phone_world(EchoBrain(8_000), **tables) as world:
        tasks = asyncio.all_tasks()
        clean = [
            asyncio.create_task(clean_call(world, n), name=f"caller {n}") for n in range(N_CLEAN)
        ]
        rogue = Rogue(world)
        if act is not None:
            await asyncio.sleep(0.5)
            await act(rogue)
        calls = await asyncio.gather(*clean)
        await world.settled(70.0)
        await asyncio.sleep(1.0)
        check_nothing_left(world, tasks)
        records = (await world.http().get("/carriers/calls")).json()["results"]
        return Outcome(calls, records)


def check_clean(outcome: Outcome) -> None:
    for n, call in enumerate(outcome.calls):
        [record] = [each for each in outcome.records if each["carrierCallId"] == call.facts.call_id]
        assert record["endReason"] == "hangup"
        assert record["figures"]["callerAudioLostMs"] == 0
        assert record["figures"]["underruns"] == 0
        assert call.log.problems == []
        assert not call.ear.holes()
        said = decode_ulaw(encode_ulaw(voice(n)))
        assert said.tobytes() in call.ear.heard().tobytes()


def check_nothing_left(world: PhoneWorld, tasks: "set[asyncio.Task[Any]]") -> None:
    desk = world.desk
    assert asyncio.all_tasks() - tasks == set()
    assert desk.n_live == 0
    assert not desk._by_carrier
    assert not desk._timers
    assert not desk._tasks
    assert all(route.n_live == 0 for route in desk._parts.routes.all)
    assert world.server.service.n_live == 0


@cache
def undisturbed() -> Outcome:
    return run_virtual(ten_calls(None))


# What the tenth does


async def start_twice(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    await rogue.talk(0.3)
    rogue.start()


async def start_in_another_format(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    await rogue.talk(0.3)
    rogue.start(rate_hz=16_000)


async def never_start(rogue: Rogue) -> None:
    await rogue.open()
    rogue.send(event="connected", protocol="Call", version="1.0.0")


async def say_nothing_at_all(rogue: Rogue) -> None:
    await rogue.open()


async def answer_and_never_come(rogue: Rogue) -> None:
    await rogue.answered()


async def media_before_the_start(rogue: Rogue) -> None:
    await rogue.open()
    for _ in range(51):
        rogue.media()


async def some_media_before_the_start(rogue: Rogue) -> None:
    await rogue.open()
    for _ in range(50):
        rogue.media()
    rogue.start()
    await rogue.talk(0.5)
    rogue.stop()


async def media_of_another_stream(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for _ in range(100):
        rogue.media(stream_sid="MZ" + 32 * "0")


async def base64_garbage(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(100):
        rogue.media(text=f"%%% {n} not base64 \u202e {{")


async def some_base64_garbage(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(99):
        rogue.media(text="!" * n)
    await rogue.talk(0.5)
    rogue.stop()


async def another_rate_than_there_is(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start(rate_hz=16_000)


async def twice_the_audio_that_was_announced(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(50):
        rogue.media(ULAW + ULAW, chunk=n + 1)
        await asyncio.sleep(0.02)
    rogue.stop()


async def chunks_in_no_order(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for chunk in (1, 2, 2, 5, 4, 3, 3, 9, 1, 10, 11, 8, 2**52, 12, 13):
        rogue.media(chunk=chunk)
        await asyncio.sleep(0.02)
    rogue.stop()


async def chunks_600_ms_late(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(1, 100):
        if n % 10 != 5:
            rogue.media(chunk=n)
        if n % 10 == 5 and n > 30:
            rogue.media(chunk=n - 30)
        await asyncio.sleep(0.02)
    rogue.stop()


async def flood(rogue: Rogue) -> None:
    """A thousand times real time."""
    await rogue.open()
    rogue.start()
    await rogue.talk(0.1)
    for _ in range(40):
        for _ in range(1_000):
            rogue.media()
        await asyncio.sleep(0.02)


async def flood_before_anybody_listens(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for _ in range(1_000):
        rogue.media()


async def read_nothing(rogue: Rogue) -> None:
    await rogue.connect_deaf(await rogue.answered())
    rogue.start()
    await rogue.talk(15.0)


async def storm_of_marks(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(1_000):
        rogue.mark(f"m{n % 7}")
        await asyncio.sleep(0.001)


async def keys_that_no_telephone_has(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(100):
        rogue.key("Ωx?@#*"[n % 4])
        await asyncio.sleep(0.02)


async def a_thousand_keys_a_second(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for n in range(1_000):
        rogue.key(str(n % 10))
        await asyncio.sleep(0.001)


async def start_of_another_call(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start(call_sid="CA" + 32 * "0")


async def start_of_a_call_that_is_live(rogue: Rogue) -> None:
    await rogue.open()
    victim = next(iter(rogue.world.carrier.calls))
    rogue.start(call_sid=victim)


async def a_token_twice(rogue: Rogue) -> None:
    url = await rogue.answered()
    await rogue.connect(url)
    rogue.start()
    await rogue.talk(0.2)
    thief = Rogue(rogue.world)
    with pytest.raises(JoinRefused, match="41"):
        await thief.connect(url)
    await rogue.talk(0.2)
    rogue.stop()
    await asyncio.sleep(1.0)
    with pytest.raises(JoinRefused, match="41"):
        await thief.connect(url)


async def a_webhook_three_times(rogue: Rogue) -> None:
    signed = rogue.signed()
    first = await rogue.ask(*signed)
    again = await rogue.ask(*signed)
    assert "<Stream" in first.text
    assert "<Stream" in again.text
    await rogue.connect(await rogue.answered())
    rogue.start()
    await rogue.talk(0.2)
    while_it_lives = await rogue.ask(*signed)
    assert "<Stream" not in while_it_lives.text
    rogue.stop()
    await asyncio.sleep(1.0)
    afterwards = await rogue.ask(*signed)
    assert "<Stream" not in afterwards.text


async def a_webhook_with_another_signature(rogue: Rogue) -> None:
    body, headers = rogue.signed()
    refused = await rogue.ask(body.replace(b"inbound", b"outbound-api"), headers)
    assert refused.status_code == 403
    answer_and_go = await rogue.answered()
    assert answer_and_go


async def fall_silent(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    await rogue.talk(0.3)


async def messages_that_are_no_events(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for _ in range(100):
        rogue.socket.send_text("[" * 20_000)
        await asyncio.sleep(0.01)


async def a_message_too_long(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    await rogue.talk(0.1)
    rogue.media(bytes(65_537))


async def binary_messages(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    for _ in range(100):
        rogue.socket.send_bytes(bytes(160))


async def audio_after_the_end(rogue: Rogue) -> None:
    await rogue.open()
    rogue.start()
    await rogue.talk(0.3)
    rogue.send(event="stop", streamSid=rogue.stream_sid, stop={})
    await rogue.talk(1.0)


# What it does as another carrier: linear samples, which can be cut in half


async def open_exotel(rogue: Rogue, rate_hz: int = 8_000) -> None:
    await rogue.connect(ENTRIES["exotel"])
    media_format = {"encoding": "raw/slin", "sample_rate": str(rate_hz), "bit_rate": "128kbps"}
    start = {"call_sid": rogue.call_sid, "stream_sid": "EX1", "media_format": media_format}
    rogue.send(event="start", stream_sid="EX1", start=start)
    await asyncio.sleep(0.1)


def exotel_media(rogue: Rogue, n_bytes: int, n: int) -> None:
    payload = base64.b64encode(bytes(n_bytes)).decode()
    media = {"chunk": str(n), "timestamp": str(100 * (n - 1)), "payload": payload}
    rogue.send(event="media", stream_sid="EX1", media=media)


async def half_samples_in_json(rogue: Rogue) -> None:
    await open_exotel(rogue)
    for n in range(100):
        exotel_media(rogue, 1_599, n + 1)
        await asyncio.sleep(0.02)


async def audio_at_twice_the_announced_rate(rogue: Rogue) -> None:
    await open_exotel(rogue)
    for n in range(10):
        exotel_media(rogue, 3_200, n + 1)
        await asyncio.sleep(0.1)
    rogue.send(event="stop", stream_sid="EX1", stop={"reason": "callended"})


async def another_rate_in_mid_call(rogue: Rogue) -> None:
    await open_exotel(rogue)
    start = {
        "call_sid": rogue.call_sid,
        "stream_sid": "EX1",
        "media_format": {"sample_rate": 24_000},
    }
    rogue.send(event="start", stream_sid="EX1", start=start)


async def a_rate_that_nobody_has(rogue: Rogue) -> None:
    await open_exotel(rogue, rate_hz=7_999)


async def half_samples_in_binary(rogue: Rogue) -> None:
    await rogue.connect(ENTRIES["audio_fork"])
    rogue.send(callSid=rogue.call_sid)
    await asyncio.sleep(0.1)
    for _ in range(100):
        rogue.socket.send_bytes(bytes(321))
        await asyncio.sleep(0.02)


AUDIOSOCKET_ID = "7f3c2a10-0000-4000-8000-00000000abcd"


async def open_audiosocket(rogue: Rogue) -> None:
    rogue.call_sid = AUDIOSOCKET_ID
    await rogue.connect(TCP)
    rogue.socket.send_bytes(b"\x01\x00\x10" + UUID(AUDIOSOCKET_ID).bytes)
    for _ in range(5):
        rogue.socket.send_bytes(b"\x10\x01\x40" + bytes(320))
        await asyncio.sleep(0.02)


async def half_samples_on_bare_tcp(rogue: Rogue) -> None:
    await open_audiosocket(rogue)
    for _ in range(100):
        rogue.socket.send_bytes(b"\x10\x01\x3f" + bytes(319))
        await asyncio.sleep(0.02)


async def another_rate_on_bare_tcp(rogue: Rogue) -> None:
    await open_audiosocket(rogue)
    rogue.socket.send_bytes(b"\x13\x01\x40" + bytes(320))


async def a_second_identity_on_bare_tcp(rogue: Rogue) -> None:
    await open_audiosocket(rogue)
    rogue.socket.send_bytes(b"\x01\x00\x10" + bytes(16))


async def another_protocol_on_bare_tcp(rogue: Rogue) -> None:
    await rogue.connect(TCP)
    rogue.socket.send_bytes(b"GET / HTTP/1.1\r\nHost: bridge.example\r\n\r\n")


async def silence_on_bare_tcp(rogue: Rogue) -> None:
    await rogue.connect(TCP)


async def a_frame_without_end_on_bare_tcp(rogue: Rogue) -> None:
    await open_audiosocket(rogue)
    rogue.socket.send_bytes(b"\x10\xff\xff")
    for _ in range(100):
        rogue.socket.send_bytes(b"x")
        await asyncio.sleep(0.5)


def test_a_call_that_goes_on_may_come_back_when_its_stream_is_over() -> None:
    async def test() -> None:
        async with phone_world(EchoBrain(8_000)) as world:
            rogue = Rogue(world)
            for status in ("ringing", "in-progress", "in-progress"):
                await rogue.connect(await rogue.answered(CallStatus=status))
                rogue.start()
                await rogue.talk(0.2)
                rogue.stop()
                await world.settled()

            assert [record.end and record.end.reason for record in world.records] == ["hangup"] * 3

    run_virtual(test())


BROKE = "the carrier broke the protocol: "
HOSTILE: list[tuple[Act, str, str]] = [
    (start_twice, "connection_error", BROKE + "a second start"),
    (start_in_another_format, "connection_error", "the audio is not mu-law at 8 kHz"),
    (never_start, "no_start", "began no stream within 2 s"),
    (say_nothing_at_all, "no_start", "began no stream within 2 s"),
    (media_before_the_start, "no_start", "more than 50 messages before the start"),
    (some_media_before_the_start, "hangup", ""),
    (media_of_another_stream, "connection_error", "media of another stream"),
    (base64_garbage, "connection_error", "100 bad messages in 10 s"),
    (some_base64_garbage, "hangup", ""),
    (another_rate_than_there_is, "no_start", "the start is not as documented"),
    (twice_the_audio_that_was_announced, "hangup", ""),
    (chunks_in_no_order, "hangup", ""),
    (chunks_600_ms_late, "hangup", ""),
    (flood_before_anybody_listens, "no_start", "too much was sent before the call began"),
    (flood, "connection_error", "more than 500 audio messages per second"),
    (read_nothing, "connection_error", "the peer takes nothing"),
    (storm_of_marks, "connection_error", "more than 100 messages per second"),
    (keys_that_no_telephone_has, "connection_error", "a key that no telephone has"),
    (a_thousand_keys_a_second, "connection_error", "more than 100 messages per second"),
    (start_of_another_call, "refused", "its start names another call"),
    (start_of_a_call_that_is_live, "refused", "its start names another call"),
    (a_token_twice, "hangup", ""),
    (a_webhook_three_times, "hangup", ""),
    (fall_silent, "connection_error", "the carrier sent nothing for 60 s"),
    (messages_that_are_no_events, "connection_error", "bad messages"),
    (a_message_too_long, "connection_error", "larger than"),
    (binary_messages, "connection_error", "a binary message"),
    (audio_after_the_end, "hangup", ""),
    (half_samples_in_json, "connection_error", "100 bad messages in 10 s"),
    (audio_at_twice_the_announced_rate, "hangup", ""),
    (another_rate_in_mid_call, "connection_error", "the audio format changed in mid-call"),
    (a_rate_that_nobody_has, "no_start", "the audio is not at 8, 16 or 24 kHz"),
    (half_samples_in_binary, "connection_error", "a binary message ends inside a sample"),
    (half_samples_on_bare_tcp, "connection_error", "ends inside a sample"),
    (another_rate_on_bare_tcp, "connection_error", "Asterisk changed to audio at 24000 Hz"),
    (another_protocol_on_bare_tcp, "no_start", "begins with a UUID, and this one does not"),
    (silence_on_bare_tcp, "no_start", "began no stream within 2 s"),
    (a_frame_without_end_on_bare_tcp, "connection_error", "the carrier sent nothing for 60 s"),
    (a_second_identity_on_bare_tcp, "connection_error", "said the UUID a second time"),
]
COUNTED: dict[str, dict[str, object]] = {
    "some_media_before_the_start": {"ignored": {"early": 50}},
    "some_base64_garbage": {"ignored": {"bad": 98, "empty": 1}},
    "twice_the_audio_that_was_announced": {"warnings": 1},
    "chunks_in_no_order": {"ignored": {"late": 6, "bad": 1}, "callerAudioMissingMs": 100.0},
    "chunks_600_ms_late": {"ignored": {"late": 7}, "callerAudioMissingMs": 200.0},
    "a_thousand_keys_a_second": {"digits": 24},
    "audio_at_twice_the_announced_rate": {"warnings": 1},
}
"""What the record counts of those that are let go on."""


@pytest.mark.parametrize(
    ("act", "reason", "detail"), HOSTILE, ids=[act.__name__ for act, _, _ in HOSTILE]
)
def test_a_hostile_call_ends_at_most_itself_and_nine_others_hear_every_sample_on_time(
    act: Act, reason: str, detail: str
) -> None:
    without, with_it = undisturbed(), run_virtual(ten_calls(act))

    check_clean(with_it)
    assert with_it.begun_s == without.begun_s
    assert with_it.heard == without.heard
    [record] = with_it.hostile
    assert record["endReason"] == reason
    assert detail in record["endDetail"]
    expected = COUNTED.get(act.__name__, {})
    assert {name: record["figures"][name] for name in expected} == expected
