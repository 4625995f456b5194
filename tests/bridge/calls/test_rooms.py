import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from bridge.brains.base import Greeting, Say
from bridge.calls.errors import (
    CallError,
    CallOver,
    InvalidSettings,
    RoomRefused,
    TooManyJoins,
)
from bridge.calls.rooms import JOINS_WITHIN_S, LEEWAY_S, MAX_JOINS, NOT_SERVED, Rooms
from bridge.calls.settings import CallSettings
from bridge.clock import VirtualClock
from bridge.gateway.metrics import Metrics
from bridge.gateway.rtc_metrics import rtc_metrics
from bridge.legs.webrtc.ear import EarFigures
from bridge.legs.webrtc.installed import WHAT_TO_DO
from bridge.virtual import run_virtual
from bridge.wire.livekit.tokens import issue_token
from tests.bridge.gateway.test_metrics import samples
from tests.fakes.call_world import ActingBrain, Client, call_world
from tests.fakes.rtc import FakeVoice, rtc_world


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def token_of(client: Client) -> str:
    [(_, info)] = client.messages
    return str(info["token"])


def test_a_token_opens_its_own_room_again_and_again_while_its_call_is_there() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            token = token_of(client)
            for _ in range(3):
                assert world.rooms.admit(record.call_id, token).leg is world.leg(record)

    play(call())


@pytest.mark.parametrize("token", [None, ""])
def test_who_has_no_token_is_told_so(token: str | None) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            with pytest.raises(RoomRefused, match="no token"):
                world.rooms.check(record.call_id, token)

    play(call())


@pytest.mark.parametrize("token", ["x", "a.b.c", "é.é.é", "." * 9_000])
def test_what_is_no_token_of_ours_opens_nothing(token: str) -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            with pytest.raises(RoomRefused, match="not made by this server"):
                world.rooms.check(record.call_id, token)

    play(call())


def test_a_token_of_another_room_or_another_server_opens_nothing() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, _ = await world.enter()
            _, other = await world.enter()
            with pytest.raises(RoomRefused, match="another room"):
                world.rooms.check(record.call_id, token_of(other))
            now_s = VirtualClock(asyncio.get_running_loop())().timestamp()
            foreign = issue_token(
                b"x" * 32,
                api_key="tipring",
                identity="user",
                room=record.call_id,
                now_s=now_s,
                valid_s=60,
            )
            with pytest.raises(RoomRefused, match="not made by this server"):
                world.rooms.check(record.call_id, foreign)

    play(call())


def test_a_token_lasts_as_long_as_its_call_may_and_no_longer_than_five_minutes_more() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter(CallSettings(max_duration_s=100))
            token = token_of(client)
            world.link(record)
            await asyncio.sleep(99)
            world.rooms.check(record.call_id, token)
            await asyncio.sleep(1 + LEEWAY_S)
            with pytest.raises(RoomRefused, match="expired"):
                world.rooms.check(record.call_id, token)

    play(call())


def test_the_token_of_an_ended_call_is_told_so() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            token = token_of(client)
            client.socket.close(1000)
            await world.ended(record)
            with pytest.raises(CallOver):
                world.rooms.admit(record.call_id, token)

    play(call())


def test_a_client_may_join_so_often_and_then_has_to_wait() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            world.link(record)
            token = token_of(client)
            for _ in range(MAX_JOINS):
                world.rooms.admit(record.call_id, token)
            with pytest.raises(TooManyJoins) as caught:
                world.rooms.admit(record.call_id, token)
            assert 0 < caught.value.retry_after_s <= JOINS_WITHIN_S
            await asyncio.sleep(JOINS_WITHIN_S + 0.1)
            world.rooms.admit(record.call_id, token)

    play(call())


def test_rooms_are_forgotten_and_what_they_counted_is_kept() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            world.link(record)
            world.link(record)
            assert world.rooms.n_open == 1
            client.socket.close(1000)
            await world.ended(record)
            assert world.rooms.n_open == 0
            assert world.rooms.rejoins == 1

    play(call())


def test_a_server_without_rooms_makes_no_call_over_webrtc_and_says_what_to_ask_for() -> None:
    async def call() -> None:
        async with call_world() as world:
            with pytest.raises(InvalidSettings) as caught:
                await world.service.create(CallSettings())
            assert (caught.value.field, str(caught.value)) == ("medium", NOT_SERVED)

    play(call())


def test_without_the_extra_one_sentence_says_what_to_install() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            loop = asyncio.get_running_loop()
            rooms = Rooms(
                VirtualClock(loop),
                lambda lane, _: FakeVoice(lane),  # type: ignore[arg-type, return-value]
                missing=lambda: WHAT_TO_DO,
            )
            assert rooms.missing() == WHAT_TO_DO
            assert "pip install 'tipring[webrtc]'" in WHAT_TO_DO
            world.service._rooms = rooms
            with pytest.raises(InvalidSettings, match="pip install"):
                await world.service.create(CallSettings())

    play(call())


def test_two_servers_do_not_know_each_others_tokens() -> None:
    async def call() -> None:
        async with rtc_world() as one, rtc_world() as two:
            record, client = await one.enter()
            with pytest.raises(CallError):
                two.rooms.check(record.call_id, token_of(client))

    play(call())


GREETS = ActingBrain(lambda cue: (Say("Hello."),) if isinstance(cue, Greeting) else ())


def heard(received: int, lost: int = 0, **more: float) -> EarFigures:
    return replace(EarFigures(received=received, lost=lost), **more)  # type: ignore[arg-type]


def test_the_record_of_a_call_says_how_it_sounded_over_all_its_connections() -> None:
    async def call() -> None:
        async with rtc_world(GREETS) as world:
            record, client = await world.enter()
            await asyncio.sleep(2.0)
            first = world.link(record)
            first.ear = heard(100, 5, recovered=2, missed_ms=60.0, depth_max_ms=80.0, late=1)
            await asyncio.sleep(5.0)
            first.lose()
            second = world.link(record)
            second.transport, second.client = "v0", "python 1.0"
            second.ear = heard(50, 1, missed_ms=20.0, depth_ms=3.0, depth_max_ms=40.0, repeated=4)
            world.voices[0].figures.late = 3
            await asyncio.sleep(1.0)
            client.socket.close(1000)
            await world.ended(record)

            [event] = [
                each for each in await world.events(record) if each.type == "webrtc_call_figures"
            ]
            assert event.extras is not None
            told = dict(event.extras)
            first_s = told.pop("firstAgentAudio")
            assert isinstance(first_s, float)
            assert 0 < first_s < 1.0
            assert told == {
                "transport": "v0",
                "client": "python 1.0",
                "rejoins": 1,
                "packetsIn": 150,
                "packetsLost": 6,
                "packetsRecovered": 2,
                "packetsLate": 1,
                "packetsRepeated": 4,
                "packetsBad": 0,
                "concealedMs": 0,
                "callerAudioLostMs": 80,
                "jitterBufferMs": 3,
                "jitterBufferMaxMs": 80,
                "underruns": 0,
                "lateFrames": 3,
            }

    play(call())


def test_a_call_that_no_client_came_to_says_so() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            client.socket.close(1000)
            await world.ended(record)

            [event] = [
                each for each in await world.events(record) if each.type == "webrtc_call_figures"
            ]
            assert event.extras is not None
            assert (event.extras["transport"], event.extras["firstAgentAudio"]) == (None, None)
            assert world.rooms.ended == {}

    play(call())


def test_the_sums_on_the_metrics_page_rise_with_a_call_and_do_not_fall_when_it_ends() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            page = Metrics([rtc_metrics(world.rooms)])
            world.link(record).ear = heard(100, 5, missed_ms=60.0)
            world.link(record).ear = heard(10, 1, concealed_ms=500.0)
            before = samples(page.page()[0])
            client.socket.close(1000)
            await world.ended(record)
            after = samples(page.page()[0])

            assert before["tipring_webrtc_packets_received_total", ()] == 110
            assert before["tipring_webrtc_packets_lost_total", ()] == 6
            assert before["tipring_webrtc_caller_audio_lost_seconds_total", ()] == 0.06
            assert before["tipring_webrtc_concealed_seconds_total", ()] == 0.5
            rising = {key: value for key, value in before.items() if key[0].endswith("_total")}
            assert {key: after[key] for key in rising} == rising
            assert after["tipring_webrtc_calls_ended_total", ("v1",)] == 1
            assert after["tipring_webrtc_calls", ()] == 0

    play(call())
