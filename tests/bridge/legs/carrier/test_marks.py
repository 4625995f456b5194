import asyncio

from bridge.audio.ledger import Ledger
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.marks import MAX_PENDING, Marks
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import Message, Traits
from tests.fakes.plain_wire import PlainWire


class Asked:
    """Marks behind a second of audio that plays from 0 s on."""

    def __init__(self, *, rule: str = "echoed") -> None:
        self.sent: list[Message] = []
        self.figures = CarrierFigures()
        wire = PlainWire(Traits(name="twilio", marks=rule, clears=True))  # type: ignore[arg-type]
        self.marks = Marks(wire, self.sent.append, self.figures)
        self.ledger = Ledger(8_000)

    def ask(self, n: int = 1) -> None:
        for _ in range(n):
            self.ledger.sent(800, 0.0)
            self.marks.ask(self.ledger)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        figures = self.figures
        return (
            figures.marks_sent,
            figures.marks_back,
            figures.marks_flushed,
            figures.marks_outstanding,
        )


def test_names_are_used_once() -> None:
    asked = Asked()
    asked.ask(300)

    assert len(set(asked.sent)) == 300


def test_a_mark_that_comes_back_proves_what_was_sent_before_it() -> None:
    asked = Asked()
    asked.ask(2)
    asked.marks.reached("m0", 0.1)

    assert asked.ledger.played_acknowledged == 800
    assert asked.counts == (2, 1, 0, 1)


def test_a_mark_proves_those_before_it_which_are_not_waited_for_any_more() -> None:
    asked = Asked()
    asked.ask(3)
    asked.marks.reached("m1", 0.2)
    asked.marks.reached("m0", 0.2)

    assert asked.ledger.played_acknowledged == 1_600
    assert asked.counts == (3, 2, 0, 1)


def test_a_mark_that_nobody_asked_for_or_that_came_before_proves_nothing() -> None:
    asked = Asked()
    asked.ask(2)
    for name in ("m0", "m0", "m7", ""):
        asked.marks.reached(name, 0.1)

    assert asked.counts == (2, 1, 0, 1)


def test_marks_that_waited_at_a_clear_prove_nothing_when_they_come_back() -> None:
    asked = Asked()
    asked.ask(2)
    asked.marks.cleared()
    asked.ledger.flush(0.05)
    asked.marks.reached("m0", 0.06)
    asked.marks.reached("m1", 0.06)

    assert asked.ledger.played_acknowledged == 0
    assert asked.counts == (2, 0, 2, 0)


def test_a_mark_that_the_carrier_calls_flushed_proves_nothing() -> None:
    asked = Asked()
    asked.ask(2)
    asked.marks.flushed("m0")
    asked.marks.flushed("m9")
    asked.marks.reached("m1", 0.2)

    assert asked.ledger.played_acknowledged == 1_600
    assert asked.counts == (2, 1, 1, 0)


def test_a_carrier_without_marks_is_asked_for_none() -> None:
    asked = Asked(rule="none")
    asked.ask(3)

    assert asked.sent == []
    assert asked.counts == (0, 0, 0, 0)


def test_a_carrier_that_proves_marks_unasked_is_sent_nothing_and_waited_for() -> None:
    class Unasked(PlainWire):
        def mark(self, name: str) -> tuple[Message, ...]:
            return ()

    sent: list[Message] = []
    figures, ledger = CarrierFigures(), Ledger(8_000)
    traits = Traits(name="genesys", marks="silent", clears=True)
    marks = Marks(Unasked(traits), sent.append, figures)
    for _ in range(2):
        ledger.sent(800, 0.0)
        marks.ask(ledger)
    marks.reached("m1", 0.2)

    assert sent == []
    assert ledger.played_acknowledged == 1_600
    assert (figures.marks_sent, figures.marks_back) == (2, 2)


def test_a_mark_of_an_earlier_relay_counts_for_its_own_ledger() -> None:
    asked = Asked()
    asked.ask()
    before, asked.ledger = asked.ledger, Ledger(8_000)
    asked.ask()
    asked.marks.reached("m0", 0.1)

    assert (before.played_acknowledged, asked.ledger.played_acknowledged) == (800, 0)


def test_a_mark_of_this_relay_proves_those_of_an_earlier_one() -> None:
    asked = Asked()
    asked.ask()
    before, asked.ledger = asked.ledger, Ledger(8_000)
    asked.ask()
    asked.marks.reached("m1", 0.2)

    assert (before.played_acknowledged, asked.ledger.played_acknowledged) == (800, 800)
    assert asked.counts == (2, 2, 0, 0)


def test_a_mark_that_was_lost_on_the_way_does_not_make_the_clock_late() -> None:
    asked = Asked()
    for _ in range(10):
        asked.ledger.sent(3_200, 0.0)
        asked.marks.ask(asked.ledger)
    asked.marks.reached("m0", 0.45)
    asked.marks.reached("m5", 2.45)

    assert asked.ledger.playing_until_s == 4.0


def test_a_carrier_that_never_answers_has_the_oldest_marks_given_up() -> None:
    asked = Asked()
    asked.ask(MAX_PENDING)
    assert asked.counts == (MAX_PENDING, 0, 0, MAX_PENDING)
    asked.ask()
    asked.marks.reached("m0", 0.1)

    assert asked.counts == (MAX_PENDING + 1, 0, 0, MAX_PENDING)
    assert asked.figures.marks_lost == 1


def test_whoever_waits_for_the_marks_is_told_when_none_is_pending() -> None:
    async def call() -> None:
        asked = Asked()
        await asked.marks.all_back()
        asked.ask(2)
        waiters = [asyncio.create_task(asked.marks.all_back()) for _ in range(2)]
        asked.marks.reached("m0", 0.1)
        await asyncio.sleep(1)
        assert not any(waiter.done() for waiter in waiters)
        asked.marks.reached("m1", 0.2)
        await asyncio.gather(*waiters)

        asked.ask()
        waiter = asyncio.create_task(asked.marks.all_back())
        await asyncio.sleep(1)
        asked.marks.cleared()
        await waiter

    run_virtual(call())
