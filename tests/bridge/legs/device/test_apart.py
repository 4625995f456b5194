"""Headphones: whether the loudspeaker reaches the microphone, and what is a voice if it does not."""

import pytest

from bridge.legs.device.apart import ABOVE_DB, APART_DB, DOUBT_FRAMES, PROOF_FRAMES, Apart

PLAYED = -15.0
STILL = PLAYED - APART_DB - 2
VOICE = -25.0


def weigh(
    apart: Apart, heard: float, n: int = 1, *, loud: bool = True, echo_known: bool = False
) -> list[bool]:
    return [apart.is_voice(heard, PLAYED, loud=loud, echo_known=echo_known) for _ in range(n)]


def proven() -> Apart:
    apart = Apart()
    weigh(apart, STILL, PROOF_FRAMES)
    assert apart.proven
    return apart


def test_a_still_microphone_is_apart_after_its_frames_of_proof_and_no_sooner() -> None:
    apart = Apart()
    weigh(apart, STILL, PROOF_FRAMES - 1)
    assert not apart.proven
    weigh(apart, STILL)
    assert apart.proven


def test_what_is_played_softly_proves_nothing() -> None:
    apart = Apart()
    weigh(apart, STILL, 10 * PROOF_FRAMES, loud=False)
    assert not apart.proven


@pytest.mark.parametrize(("above_db", "apart_at_last"), [(-0.1, True), (0.1, False)])
def test_one_frame_of_echo_puts_the_proof_off(above_db: float, *, apart_at_last: bool) -> None:
    apart = Apart()
    weigh(apart, STILL, PROOF_FRAMES - 1)
    weigh(apart, PLAYED - APART_DB + above_db)
    assert apart.proven is apart_at_last


def test_a_microphone_that_gives_zeros_where_an_echo_was_known_is_switched_off() -> None:
    apart = Apart()
    weigh(apart, -120.0, 10 * PROOF_FRAMES, echo_known=True)
    assert not apart.proven
    weigh(apart, -120.0, PROOF_FRAMES)
    assert apart.proven


def test_a_voice_is_louder_than_any_echo_that_was_possible() -> None:
    apart = proven()
    possible = STILL + ABOVE_DB
    assert weigh(apart, possible - 0.1) == [False]
    assert weigh(apart, possible + 0.1) == [True]
    assert weigh(apart, VOICE) == [True]


def test_where_nothing_at_all_was_heard_an_echo_is_possible_all_the_same() -> None:
    apart = Apart()
    weigh(apart, -120.0, PROOF_FRAMES)
    assert weigh(apart, -45.0) == [False]


def test_a_voice_that_goes_on_is_doubted_and_the_proof_begins_anew() -> None:
    apart = proven()
    assert all(weigh(apart, VOICE, DOUBT_FRAMES - 1))
    assert not apart.doubted
    assert weigh(apart, VOICE) == [False]
    assert apart.doubted
    weigh(apart, STILL, PROOF_FRAMES)
    assert apart.proven


def test_words_with_pauses_between_them_are_not_doubted() -> None:
    apart = proven()
    for _ in range(10):
        assert all(weigh(apart, VOICE, DOUBT_FRAMES // 2))
        weigh(apart, STILL, DOUBT_FRAMES // 2)
    assert apart.proven
