"""The beat that all voices share: a steady grid, freezes, and members that come, go and break; in virtual time."""

import asyncio
from collections.abc import Callable

import pytest

from bridge.audio.pacer import STALL_S
from bridge.legs.webrtc.beat import FRAME_S, PHASES, STEP_S, Beat, beat_of
from bridge.virtual import run_virtual


class Member:
    def __init__(self, act: Callable[[float], object] | None = None) -> None:
        self.due: list[float] = []
        self._act = act

    def beat(self, due_s: float) -> None:
        self.due.append(due_s)
        if self._act is not None:
            self._act(due_s)


def test_each_member_is_beaten_every_20_ms_and_no_two_of_four_at_once() -> None:
    async def scene() -> None:
        beat = beat_of(asyncio.get_running_loop())
        members = [Member() for _ in range(PHASES)]
        for member in members:
            beat.add(member)
        await asyncio.sleep(1.0)
        for member in members:
            beat.remove(member)
        for member in members:
            gaps = [b - a for a, b in zip(member.due, member.due[1:], strict=False)]
            assert gaps == pytest.approx([FRAME_S] * len(gaps), abs=1e-9)
        phases = {round(member.due[0] / STEP_S) % PHASES for member in members}
        assert len(phases) == PHASES

    run_virtual(scene())


def test_one_loop_has_one_beat() -> None:
    async def scene() -> Beat:
        assert beat_of(asyncio.get_running_loop()) is beat_of(asyncio.get_running_loop())
        return beat_of(asyncio.get_running_loop())

    assert run_virtual(scene()) is not run_virtual(scene())


@pytest.mark.parametrize(("freeze_s", "missed"), [(0.1, 0), (STALL_S, 0), (5.0, 249)])
def test_a_freeze_is_made_up_for_unless_it_was_long(freeze_s: float, missed: int) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        beat = Beat(loop)
        member = Member()
        beat.add(member)
        await asyncio.sleep(0.5)
        loop._now_s += freeze_s  # type: ignore[attr-defined]
        await asyncio.sleep(0.5)
        beat.remove(member)
        all_due = (1.0 + freeze_s) / FRAME_S
        assert len(member.due) == pytest.approx(all_due - missed, abs=2)
        assert beat.stalls == (1 if missed else 0)
        grid = [due_s / FRAME_S for due_s in member.due]
        assert grid == pytest.approx([round(at) for at in grid], abs=1e-6)

    run_virtual(scene())


def test_one_that_breaks_is_left_out_and_reported_and_the_others_go_on() -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        beat, told = Beat(loop), list[object]()
        loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        broken, well = Member(lambda _due_s: 1 / 0), Member()
        beat.add(broken)
        beat.add(well)
        await asyncio.sleep(0.2)
        beat.remove(well)
        assert len(broken.due) == 1
        assert len(well.due) == pytest.approx(10, abs=1)
        assert [type(exc) for exc in told] == [ZeroDivisionError]

    run_virtual(scene())


def test_a_member_may_leave_and_another_come_within_a_beat() -> None:
    async def scene() -> None:
        beat = Beat(asyncio.get_running_loop())
        second = Member()

        def swap(_due_s: float) -> None:
            beat.remove(first)
            beat.add(second)

        first = Member(swap)
        beat.add(first)
        await asyncio.sleep(0.2)
        beat.remove(second)
        beat.remove(second)
        assert len(first.due) == 1
        assert len(second.due) == pytest.approx(10, abs=1)

    run_virtual(scene())


def test_nobody_there_means_no_timer() -> None:
    async def scene() -> None:
        beat = Beat(asyncio.get_running_loop())
        member = Member()
        beat.add(member)
        beat.remove(member)
        await asyncio.sleep(0.1)
        assert beat._timer is None
        assert not member.due

    run_virtual(scene())
