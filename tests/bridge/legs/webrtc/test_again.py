"""What is repeated, how often, and when it stops."""

import asyncio

import pytest

from bridge.legs.webrtc.again import LONGEST_S, N_SOON, SOON_S, Again, Flights
from bridge.virtual import run_virtual

HELLO = b"\x16\xfe\xfdhello"
FINISHED = b"\x14\xfe\xfdfinished"
DATA = b"\x17\xfe\xfddata"


def said_over(seconds: float, *moves: bytes | int) -> list[tuple[float, bytes]]:
    """What goes out again when bytes are sent and first octets come, all at once."""

    async def run() -> list[tuple[float, bytes]]:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        said: list[tuple[float, bytes]] = []
        flights = Flights(lambda data: said.append((loop.time() - began_s, data)))
        for move in moves:
            if isinstance(move, bytes):
                flights.sent(move)
            else:
                flights.came(move)
        await asyncio.sleep(seconds)
        flights.stop()
        await asyncio.sleep(1.0)
        return said

    return run_virtual(run())


def test_a_flight_goes_out_again_within_a_tenth_of_a_second_and_many_times() -> None:
    said = said_over(1.0, HELLO)
    times = [at_s for at_s, _ in said]
    assert times[:N_SOON] == pytest.approx([SOON_S * (n + 1) for n in range(N_SOON)])
    assert len(said) > N_SOON
    assert {data for _, data in said} == {HELLO}


def test_nobody_is_asked_for_ever() -> None:
    said = said_over(100.0, HELLO)
    assert LONGEST_S - 1 < said[-1][0] <= LONGEST_S + 0.001
    assert len(said) < 60


def test_the_next_flight_takes_the_place_of_the_one_before() -> None:
    assert {data for _, data in said_over(1.0, HELLO, FINISHED)} == {FINISHED}


@pytest.mark.parametrize("first", [23, 128, 191])
def test_what_only_a_peer_with_our_last_flight_can_send_ends_it(first: int) -> None:
    assert not said_over(1.0, FINISHED, first)


@pytest.mark.parametrize("first", [20, 21, 22, 127, 192])
def test_what_a_peer_without_it_may_send_does_not_end_it(first: int) -> None:
    assert said_over(1.0, FINISHED, first)


@pytest.mark.parametrize("data", [DATA, b"\x15alert", b"\x80\x60srtp", b""])
def test_what_is_no_handshake_goes_out_once(data: bytes) -> None:
    assert not said_over(1.0, data)


def test_other_data_leaves_the_last_flight_to_be_said_again() -> None:
    assert said_over(1.0, FINISHED, DATA)


def test_what_is_stopped_is_not_said_again() -> None:
    async def run() -> int:
        n = 0

        def say() -> None:
            nonlocal n
            n += 1
            again.stop()

        again = Again(say)
        await asyncio.sleep(5.0)
        return n

    assert run_virtual(run()) == 1
