"""Marks in what is played: one at a time, told when they were heard."""

from bridge.audio.ledger import Ledger
from bridge.legs.device.proofs import PROOF_S, Proofs

RATE_HZ = 1_000


def due_s(position: int) -> float:
    return position / RATE_HZ + 0.1


def sent(n: int) -> Ledger:
    ledger = Ledger(RATE_HZ)
    ledger.sent(n, 0.1)
    return ledger


def test_a_mark_is_told_when_its_place_was_heard_and_not_when_it_was_taken() -> None:
    ledger, proofs = sent(700), Proofs()
    proofs.mark(ledger, 700, 0.6)
    assert not proofs.look(ledger, 699, due_s, 0.9)
    assert not proofs.look(ledger, 700, due_s, 0.79)
    assert ledger.heard(0.7).played_acknowledged == 0
    assert proofs.look(ledger, 700, due_s, 0.8)
    assert ledger.heard(0.8).played_acknowledged == 700
    assert not proofs.look(ledger, 700, due_s, 0.9)


def test_there_is_one_mark_at_a_time_and_the_next_half_a_second_later() -> None:
    ledger, proofs = sent(700), Proofs()
    proofs.mark(ledger, 100, 0.6)
    proofs.mark(ledger, 700, 0.61)
    assert proofs.look(ledger, 100, due_s, 1.0)
    proofs.mark(ledger, 700, 1.0 + PROOF_S)
    assert not proofs.look(ledger, 700, due_s, 2.0)
    proofs.mark(ledger, 700, 1.01 + PROOF_S)
    assert proofs.look(ledger, 700, due_s, 2.0)


def test_a_mark_that_will_not_be_played_is_forgotten() -> None:
    ledger, proofs = sent(700), Proofs()
    proofs.mark(ledger, 700, 0.6)
    proofs.begin_anew()
    assert not proofs.look(ledger, 700, due_s, 2.0)
