import asyncio
from collections.abc import Coroutine
from dataclasses import replace

import pytest

from bridge.legs.carrier.hang_up import NO_API, STOP_LIMIT_S
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import Traits
from tests.bridge.legs.carrier.plain_call import HandLine, opened_call, running_call


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def ends_by(way: str) -> Traits:
    return Traits(name="twilio", marks="echoed", clears=True, ends_by=way)  # type: ignore[arg-type]


def test_a_call_that_rest_ends_is_ended_by_rest_and_then_the_socket_is_closed() -> None:
    async def call() -> None:
        line = HandLine(takes_s=0.5)
        call = await opened_call(ends_by("rest"), line=line)
        hanging_up = asyncio.create_task(call.leg.hang_up())
        await asyncio.sleep(0.1)
        assert not call.socket.closed
        await hanging_up

        assert line.acts == ["hang up"]
        assert [code for code, _ in call.socket.closed] == [1000]

    run(call())


@pytest.mark.parametrize("way", ["rest", "close"])
def test_without_credentials_and_where_the_close_ends_it_the_socket_is_closed(way: str) -> None:
    async def call() -> None:
        call = await opened_call(ends_by(way), line=HandLine() if way == "close" else None)
        await call.leg.hang_up()

        assert call.socket.closed
        assert call.texts == []
        assert call.leg.not_hung_up == (NO_API if way == "rest" else "")

    run(call())


def test_an_api_that_fails_does_not_keep_the_socket_open() -> None:
    async def call() -> None:
        call = await opened_call(ends_by("rest"), line=HandLine(fails=True))
        await call.leg.hang_up()

        assert call.socket.closed

    run(call())


@pytest.mark.parametrize("after_s", [0.5, STOP_LIMIT_S - 0.01])
def test_a_call_that_a_message_ends_is_told_and_closed_when_the_carrier_stopped(
    after_s: float,
) -> None:
    async def call() -> None:
        line = HandLine()
        call = await opened_call(ends_by("message"), line=line)
        asyncio.get_running_loop().call_later(after_s, call.say, "stop stopped")
        await call.leg.hang_up()

        assert call.texts == ["hang up"]
        assert call.now == pytest.approx(after_s)
        assert call.socket.closed
        assert line.acts == []

    run(call())


def test_a_carrier_that_ignores_the_message_is_told_by_rest_after_two_seconds() -> None:
    async def call() -> None:
        line = HandLine()
        call = await opened_call(ends_by("message"), line=line)
        await call.leg.hang_up()

        assert line.acts == ["hang up"]
        assert line.done[0][0] == pytest.approx(STOP_LIMIT_S)
        assert call.socket.closed

    run(call())


@pytest.mark.parametrize("way", ["rest", "message", "close"])
@pytest.mark.parametrize("cause", ["stopped", "caller_hung_up"])
def test_a_call_that_the_carrier_ended_is_only_closed(way: str, cause: str) -> None:
    async def call() -> None:
        line = HandLine()
        call = await running_call(ends_by(way), line=line)
        call.say(f"stop {cause}")
        await call.task
        await call.leg.hang_up()

        assert (line.acts, call.texts) == ([], [])
        assert call.socket.closed

    run(call())


@pytest.mark.parametrize("way", ["rest", "message"])
@pytest.mark.parametrize("broken", ["connection", "protocol", "silence", "our own limits"])
def test_a_caller_whose_socket_is_lost_is_not_left_on_a_dead_line(way: str, broken: str) -> None:
    async def call() -> None:
        line = HandLine()
        call = await running_call(ends_by(way), line=line, media_idle_s=5.0)
        assert call.socket.receiver is not None
        if broken == "connection":
            call.socket.receiver.on_close(1006, "")
        elif broken == "protocol":
            call.say("break it")
            call.socket.receiver.on_close(1008, "", ours=True)
        elif broken == "our own limits":
            call.socket.receiver.on_close(1013, "it takes nothing", ours=True)
        assert (await call.task).reason == "connection_error"
        await call.leg.hang_up()

        assert line.acts == ["hang up"]
        assert call.socket.closed

    run(call())


def test_hanging_up_again_waits_for_the_first_and_does_nothing_more() -> None:
    async def call() -> None:
        line = HandLine(takes_s=1)
        call = await opened_call(ends_by("rest"), line=line)
        await asyncio.gather(*(call.leg.hang_up() for _ in range(3)))
        await call.leg.hang_up()

        assert line.acts == ["hang up"]
        assert call.now == pytest.approx(1)

    run(call())


def test_whoever_gives_up_waiting_does_not_stop_the_hanging_up() -> None:
    async def call() -> None:
        line = HandLine(takes_s=1)
        call = await opened_call(ends_by("rest"), line=line)
        hasty = asyncio.create_task(call.leg.hang_up())
        await asyncio.sleep(0.1)
        hasty.cancel()
        await asyncio.sleep(2)

        assert line.acts == ["hang up"]
        assert call.socket.closed

    run(call())


class OnClose(HandLine):
    """Sends the caller elsewhere when the socket is closed."""

    transfers_on_close = True


@pytest.mark.parametrize(
    ("line", "stops_s", "closed_s"),
    [
        (HandLine(), 0.5, 0.5),
        (HandLine(), None, STOP_LIMIT_S),
        (OnClose(), None, 0.0),
    ],
)
def test_a_caller_who_was_sent_elsewhere_is_let_go_by_the_carrier_first(
    line: HandLine, stops_s: float | None, closed_s: float
) -> None:
    async def call() -> None:
        call = await opened_call(replace(ends_by("rest"), transfers=True), line=line)
        began_s = call.now
        await call.leg.transfer("+15550100")
        if stops_s is not None:
            asyncio.get_running_loop().call_later(stops_s, call.say, "stop stopped")
        await call.leg.hang_up()

        assert call.now - began_s == pytest.approx(closed_s)
        assert call.socket.closed
        assert line.acts == ["transfer +15550100"]
        assert call.leg.not_hung_up == ""

    run(call())
