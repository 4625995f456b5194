import asyncio
from collections.abc import Coroutine

import pytest

from bridge.audio.lane import Lane
from bridge.legs.carrier.player import MAX_WAITING_BYTES, PAUSE_S
from bridge.stats import LATENESS_S, Histogram
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import Traits
from tests.bridge.legs.carrier.plain_call import opened_call, running_call
from tests.fakes.legs import HandPort


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def traits(**fields: object) -> Traits:
    return Traits(**{"name": "twilio", "marks": "echoed", "clears": True, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize("ahead_ms", [20, 60, 300])
def test_audio_goes_out_at_once_until_enough_is_ahead_and_then_frame_by_frame(
    ahead_ms: int,
) -> None:
    async def call() -> None:
        call = await running_call(traits(ahead_ms=ahead_ms))
        began = call.now
        call.speak(2)
        await asyncio.sleep(3)

        at_once = ahead_ms // 20
        assert [at for at, _ in call.frames[:at_once]] == [began] * at_once
        assert [at for at, _ in call.frames[at_once:]] == pytest.approx(
            [began + 0.02 * (k + 1) for k in range(100 - at_once)], abs=0.001
        )
        await call.over()

    run(call())


def test_live_audio_goes_out_the_moment_it_comes() -> None:
    async def call() -> None:
        call = await running_call()
        came = []
        for _ in range(50):
            came.append(call.now)
            call.speak(0.02, end=False)
            await asyncio.sleep(0.021)

        assert [at for at, _ in call.frames] == came
        await call.over()

    run(call())


def test_pieces_that_are_no_frames_are_cut_and_joined() -> None:
    async def call() -> None:
        call = await running_call()
        for _ in range(4):
            call.speak(0.03, end=False)
        assert [n for _, n in call.frames] == [160] * 6

        await call.over()

    run(call())


@pytest.mark.parametrize(("whole", "last"), [(False, 40), (True, 160)])
def test_the_rest_of_an_utterance_goes_out_at_its_end_padded_where_that_must_be(
    whole: bool, last: int
) -> None:
    async def call() -> None:
        call = await running_call(traits(whole_frames=whole))
        call.speak(0.025)

        assert [n for _, n in call.frames] == [160, last]
        assert call.ends.incoming.ledger.sent_samples == 160 + last
        await call.over()

    run(call())


def test_the_rest_goes_out_by_itself_when_the_agent_pauses_without_a_word() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(0.025, end=False)
        assert [n for _, n in call.frames] == [160]
        await asyncio.sleep(0.1)

        assert [n for _, n in call.frames] == [160, 40]
        assert call.texts == ["mark m0"]
        await call.over()

    run(call())


@pytest.mark.parametrize("piece_s", [0.1, 0.17, 0.25])
def test_pieces_that_come_with_time_between_them_are_not_cut_while_the_carrier_has_audio(
    piece_s: float,
) -> None:
    async def call() -> None:
        call = await opened_call(traits(whole_frames=True))
        downlink = Lane(8_000, 32_000, "drop_newest", source_hz=24_000)
        call.run(HandPort(Lane(8_000, 2_000, "drop_oldest"), downlink))
        await asyncio.sleep(0.01)
        call.speak(2 * piece_s, end=False)
        for _ in range(10):
            await asyncio.sleep(piece_s)
            call.speak(piece_s, end=False)
        await asyncio.sleep(1)

        # One rest alone is padded, at the end; each cut would have added its own, and a click.
        assert 0 <= call.sent_s - 12 * piece_s < 0.02 + 0.003
        await call.over()

    run(call())


def test_a_carrier_with_frames_of_100_ms_gets_them_whole() -> None:
    async def call() -> None:
        call = await running_call(traits(frame_ms=100, whole_frames=True))
        for _ in range(12):
            call.speak(0.02, end=False)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)

        assert [n for _, n in call.frames] == [800, 800, 800]
        await call.over()

    run(call())


# Marks


def test_a_mark_is_asked_for_every_400_ms_of_speech_and_at_its_end() -> None:
    async def call() -> None:
        call = await running_call(traits(ahead_ms=5_000))
        call.speak(1)

        kinds = ["mark" if isinstance(sent, str) else "audio" for _, sent in call.socket.sent]
        assert kinds == ["audio"] * 20 + ["mark"] + ["audio"] * 20 + ["mark"] + ["audio"] * 10 + [
            "mark"
        ]
        assert call.texts == ["mark m0", "mark m1", "mark m2"]
        await call.over()

    run(call())


def test_an_utterance_that_ends_with_a_mark_gets_no_second_one() -> None:
    async def call() -> None:
        call = await running_call(traits(ahead_ms=5_000))
        call.speak(0.4)
        await asyncio.sleep(1)

        assert call.texts == ["mark m0"]
        await call.over()

    run(call())


def test_live_audio_is_marked_after_a_pause_of_two_frames_past_and_not_before() -> None:
    async def call() -> None:
        call = await running_call()
        for pause_s in (0.05, 0.07):
            call.speak(0.02, end=False)
            await asyncio.sleep(pause_s)

        assert [at for at, sent in call.socket.sent if sent == "mark m0"] == pytest.approx([0.12])
        await call.over()

    run(call())


def test_silence_asks_for_no_marks() -> None:
    async def call() -> None:
        call = await running_call()
        await asyncio.sleep(10)
        call.speak(0.02)
        await asyncio.sleep(10)

        assert call.texts == ["mark m0"]
        await call.over()

    run(call())


# Holes


@pytest.mark.parametrize(
    ("hole_s", "counted"), [(0.019, 0), (0.021, 1), (PAUSE_S - 0.01, 1), (PAUSE_S + 0.01, 0)]
)
def test_a_hole_inside_an_utterance_is_counted_and_a_pause_is_not(
    hole_s: float, counted: int
) -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(0.02, end=False)
        await asyncio.sleep(0.02 + hole_s)
        call.speak(0.02, end=False)

        assert call.leg.figures.underruns == counted
        assert call.leg.figures.underrun_ms == pytest.approx(1000 * hole_s * counted)
        await call.over()

    run(call())


def test_silence_between_utterances_is_no_hole() -> None:
    async def call() -> None:
        call = await running_call()
        for _ in range(3):
            call.speak(0.02)
            await asyncio.sleep(0.3)

        assert call.leg.figures.underruns == 0
        await call.over()

    run(call())


def test_silence_after_a_clear_is_no_hole() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(0.02, end=False)
        call.clear()
        await asyncio.sleep(0.3)
        call.speak(0.02, end=False)

        assert call.leg.figures.underruns == 0
        await call.over()

    run(call())


# Flow


def test_a_carrier_that_is_full_gets_nothing_until_it_has_room() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(1)
        n_sent = len(call.frames)
        call.say("full")
        await asyncio.sleep(5)
        call.speak(0.1)
        assert len(call.frames) == n_sent

        call.say("room")
        assert len(call.frames) > n_sent
        await asyncio.sleep(1)
        assert call.sent_s == pytest.approx(1.1)
        await call.over()

    run(call())


def test_a_full_carrier_is_cleared_all_the_same() -> None:
    async def call() -> None:
        call = await running_call()
        call.say("full")
        call.speak(1)
        call.clear()

        assert call.texts == ["clear"]
        call.say("room")
        call.speak(0.1)
        assert call.sent_s == pytest.approx(0.1)
        await call.over()

    run(call())


@pytest.mark.parametrize(
    ("waiting", "goes_out"), [(MAX_WAITING_BYTES, True), (MAX_WAITING_BYTES + 1, False)]
)
def test_audio_waits_in_the_lane_while_the_socket_takes_nothing_and_goes_on_after(
    waiting: int, goes_out: bool
) -> None:
    async def call() -> None:
        call = await running_call()
        call.socket.buffered_bytes = waiting
        call.speak(0.2)
        assert bool(call.frames) == goes_out
        await asyncio.sleep(2)
        call.socket.buffered_bytes = 0
        await asyncio.sleep(0.2)

        assert call.sent_s == pytest.approx(0.2)
        await call.over()

    run(call())


def test_after_a_stall_of_our_timers_no_more_goes_out_at_once_than_may_be_ahead() -> None:
    async def call() -> None:
        call = await running_call(traits(ahead_ms=300))
        call.speak(10)
        await asyncio.sleep(1)
        n_sent = len(call.frames)
        asyncio.get_running_loop()._now_s += 5  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        await asyncio.sleep(0.001)

        assert 0 < len(call.frames) - n_sent <= 16
        await call.over()

    run(call())


def test_lateness_of_paced_frames_is_counted_and_nothing_else() -> None:
    async def call() -> None:
        lateness = Histogram(LATENESS_S)
        call = await running_call(traits(ahead_ms=20))
        call.leg.figures.lateness = lateness
        call.speak(1)
        await asyncio.sleep(2)

        assert lateness.n == 49
        assert lateness.largest < 0.001
        await call.over()

    run(call())


# Clear


def test_after_a_clear_the_next_word_goes_out_at_once() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(5)
        await asyncio.sleep(1)
        call.clear()
        n_sent = len(call.frames)
        await asyncio.sleep(0.1)
        call.speak(0.1)

        assert [at for at, _ in call.frames[n_sent:]] == [call.now] * 5
        await call.over()

    run(call())


def test_a_carrier_is_cleared_though_we_believe_that_it_has_nothing() -> None:
    async def call() -> None:
        call = await running_call()
        call.clear()
        call.speak(0.1)
        await asyncio.sleep(5)
        call.clear()

        assert call.texts.count("clear") == 2
        assert call.leg.figures.clears == 2
        await call.over()

    run(call())


def test_a_carrier_that_cannot_be_cleared_plays_what_it_has_and_the_next_word_follows() -> None:
    async def call() -> None:
        call = await running_call(traits(clears=False, marks="none", ahead_ms=60))
        call.speak(5)
        await asyncio.sleep(1)
        call.clear()
        ledger = call.ends.incoming.ledger
        until = ledger.playing_until_s
        n_sent = len(call.frames)
        call.speak(0.1)

        assert call.texts == []
        assert until == pytest.approx(call.now + 0.06, abs=0.02)
        assert ledger.flushed == 0
        await asyncio.sleep(0.5)
        assert ledger.playing_until_s == pytest.approx((until or 0) + 0.1)
        assert len(call.frames) == n_sent + 5
        await call.over()

    run(call())


# Drain


def seconds(call: Coroutine[None, None, None]) -> Coroutine[None, None, float]:
    async def timed() -> float:
        began = asyncio.get_running_loop().time()
        await call
        return asyncio.get_running_loop().time() - began

    return timed()


def test_a_goodbye_is_over_when_its_last_mark_is_back() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(1.0)
        drain = asyncio.create_task(seconds(call.leg.drain()))
        await asyncio.sleep(1.3)
        assert not drain.done()
        call.say("mark m2")

        assert await drain == pytest.approx(1.3)
        await call.over()

    run(call())


def test_a_mark_that_never_comes_holds_a_goodbye_up_for_two_seconds_at_most() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(1.0)

        assert await seconds(call.leg.drain()) == pytest.approx(3.0)
        await call.over()

    run(call())


def test_a_mark_that_comes_at_once_proves_nothing_and_the_clock_decides() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(1.0)
        drain = asyncio.create_task(seconds(call.leg.drain()))
        for wait_s in (0.0, 0.3, 0.4):
            await asyncio.sleep(wait_s)
            for text in [text for text in call.texts if text.startswith("mark")]:
                call.say(text)

        assert await drain == pytest.approx(1.1, abs=0.01)
        await call.over()

    run(call())


def test_without_marks_a_goodbye_is_over_a_little_after_the_clock_says() -> None:
    async def call() -> None:
        call = await running_call(traits(marks="none"))
        call.speak(1.0)

        assert await seconds(call.leg.drain()) == pytest.approx(1.2, abs=0.01)
        await call.over()

    run(call())


def test_a_carrier_that_never_has_room_holds_a_goodbye_up_for_what_there_is_and_two_seconds() -> (
    None
):
    async def call() -> None:
        call = await running_call()
        call.say("full")
        call.speak(1.0)

        assert await seconds(call.leg.drain()) == pytest.approx(3.0)
        await call.over()

    run(call())


def test_nothing_to_hear_is_heard_at_once() -> None:
    async def call() -> None:
        call = await running_call()

        assert await seconds(call.leg.drain()) == pytest.approx(0.0)
        await call.over()

    run(call())


def test_after_a_clear_nobody_waits_for_the_marks_before_it() -> None:
    async def call() -> None:
        call = await running_call(traits(marks="silent"))
        call.speak(1.0)
        await asyncio.sleep(0.5)
        call.clear()

        assert await seconds(call.leg.drain()) <= 0.21
        await call.over()

    run(call())


def test_a_rest_that_nobody_ended_belongs_to_the_goodbye() -> None:
    async def call() -> None:
        call = await running_call()
        call.speak(0.025, end=False)
        drain = asyncio.create_task(call.leg.drain())
        await asyncio.sleep(0)

        assert call.texts == ["mark m0"]
        assert call.sent_s == pytest.approx(0.025)
        call.say("mark m0")
        await drain
        await call.over()

    run(call())
