import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bridge.talk.events import StatusChanged
from bridge.talk.steering import ANSWER_WITHIN_S, QUIET_S, Reader, Steering
from bridge.virtual import run_virtual
from tests.fakes.screen_talk import FakeTalk

LISTENS = StatusChanged(0.0, "listening", "speaking")
SPEAKS = StatusChanged(0.0, "speaking", "thinking")


def typing(*lines: str) -> Callable[[], AsyncIterator[str]]:
    async def typed() -> AsyncIterator[str]:
        for line in lines:
            yield line

    return typed


def test_words_are_not_taken_for_answered_before_anything_came_back() -> None:
    async def scene() -> list[tuple[object, ...]]:
        talk = FakeTalk(has_devices=False)
        steering = Steering(typing("one", "two"), print, patient=True, at_terminal=False)
        steering.take(LISTENS)
        running = asyncio.create_task(steering.run(talk))
        await asyncio.sleep(ANSWER_WITHIN_S - 5)
        asked = list(talk.asked)
        running.cancel()
        return asked

    assert run_virtual(scene()) == [("text", "one")]


async def steer(
    talk: FakeTalk,
    *lines: str,
    patient: bool = True,
    at_terminal: bool = False,
    state: StatusChanged = LISTENS,
) -> list[str]:
    told: list[str] = []
    steering = Steering(typing(*lines), told.append, patient=patient, at_terminal=at_terminal)
    steering.take(state)
    await steering.run(talk)
    return told


def test_lines_of_a_file_wait_for_the_agent_to_be_done() -> None:
    async def scene() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        talk = FakeTalk(has_devices=False)
        steering = Steering(typing("one", "two"), print, patient=True, at_terminal=False)
        steering.take(SPEAKS)
        running = asyncio.create_task(steering.run(talk))
        await asyncio.sleep(5)
        before = list(talk.asked)
        steering.take(LISTENS)
        await asyncio.sleep(QUIET_S + 1.1)
        steering.take(SPEAKS)
        await asyncio.sleep(5)
        between = list(talk.asked)
        running.cancel()
        return before, between

    before, between = run_virtual(scene())

    assert before == []
    assert between == [("text", "one")]


def test_nobody_waits_for_an_answer_to_a_blank_line() -> None:
    async def scene() -> tuple[list[str], float]:
        told = await steer(FakeTalk(has_devices=False), "", "  ")
        return told, asyncio.get_running_loop().time()

    told, took_s = run_virtual(scene())

    assert told == []
    assert took_s < 5 * QUIET_S < ANSWER_WITHIN_S


def test_an_agent_that_never_listens_is_not_waited_for_for_ever() -> None:
    async def scene() -> tuple[list[str], float]:
        told = await steer(FakeTalk(has_devices=False), "one", state=SPEAKS)
        return told, asyncio.get_running_loop().time()

    told, took_s = run_virtual(scene())

    assert told == ["the agent was not done after 30 s; going on"] * 2
    assert took_s == pytest.approx(2 * ANSWER_WITHIN_S, abs=1)


def test_the_end_of_a_file_ends_a_typed_conversation_once_it_is_answered() -> None:
    async def scene() -> tuple[list[tuple[object, ...]], float]:
        talk = FakeTalk(has_devices=False)
        steering = Steering(typing("one"), print, patient=True, at_terminal=False)
        steering.take(LISTENS)
        loop = asyncio.get_running_loop()
        loop.call_later(5, steering.take, LISTENS)
        await steering.run(talk)
        return talk.asked, loop.time()

    asked, took_s = run_virtual(scene())

    assert asked == [("text", "one"), ("hang up",)]
    assert 5 + QUIET_S <= took_s < ANSWER_WITHIN_S


def test_the_end_of_a_file_leaves_a_spoken_conversation_alone() -> None:
    talk = FakeTalk(has_devices=True)

    run_virtual(steer(talk, "/mute"))

    assert talk.mic_muted
    assert talk.asked == []


def test_who_ends_the_input_at_a_terminal_hangs_up_at_once() -> None:
    async def scene() -> tuple[FakeTalk, float]:
        talk = FakeTalk(has_devices=True)
        await steer(talk, patient=False, at_terminal=True)
        return talk, asyncio.get_running_loop().time()

    talk, took_s = run_virtual(scene())

    assert talk.asked == [("hang up",)]
    assert took_s == 0


def test_who_types_nonsense_is_told() -> None:
    told = run_virtual(steer(FakeTalk(), "/nonsense"))

    assert len(told) == 1
    assert "/hangup" in told[0]


def test_a_reader_that_goes_ends_the_service() -> None:
    async def scene() -> None:
        reader = Reader()
        asyncio.get_running_loop().call_later(2, reader.gone)
        await reader.served(asyncio.sleep(60))

    with pytest.raises(BrokenPipeError):
        run_virtual(scene())


def test_a_service_that_ends_leaves_the_reader_reading() -> None:
    async def scene() -> bool:
        reader = Reader()
        served = asyncio.create_task(reader.served(asyncio.sleep(1)))
        await asyncio.sleep(100)
        done = served.done()
        served.cancel()
        await asyncio.wait((served,))
        return done

    assert not run_virtual(scene())


def test_a_service_that_fails_is_heard_of() -> None:
    async def fails() -> None:
        raise ZeroDivisionError

    async def scene() -> None:
        await Reader().served(fails())

    with pytest.raises(ZeroDivisionError):
        run_virtual(scene())
