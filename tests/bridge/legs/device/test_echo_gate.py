"""The gate behind a canceller: shut while it learns, open for a voice, shut for what is left of an echo."""

import numpy as np

from bridge.audio.level import rms_dbfs
from bridge.legs.device.echo_gate import (
    AGAINST,
    HELD_OPEN_FRAMES,
    HISS_MAX_DBFS,
    LEARNING_MAX_S,
    LEARNING_MIN_S,
    ONSET_FRAMES,
    PROOF_FRAMES,
    RING_MS,
    EchoGate,
)
from bridge_codecs.pcm import Int16

LEARNING_MIN_FRAMES = round(100 * LEARNING_MIN_S)
_CHANCE = np.random.default_rng(3)


def noise(dbfs: float) -> Int16:
    """10 ms at 16 kHz."""
    return np.rint(_CHANCE.normal(size=160) * 32_768 * 10 ** (dbfs / 20)).astype(np.int16)


LOUD, ECHO, LEFT, WORD = noise(-15), noise(-25), noise(-50), noise(-22)


def run(gate: EchoGate, heard: Int16, left: Int16, n: int, *, played: Int16 = LOUD) -> list[bool]:
    """`n` frames; which of them were let through."""
    passed = []
    for _ in range(n):
        gate.played(played, 40)
        passed.append(is_like(gate.heard(heard, left), left))
    return passed


def is_like(given: Int16, left: Int16) -> bool:
    """Whether it is the same sound, and not what fills the place of it."""
    first, second = given.astype(float), left.astype(float)
    return float(np.dot(first, second)) > 0.5 * float(np.dot(second, second))


def learnt() -> EchoGate:
    gate = EchoGate()
    run(gate, ECHO, LEFT, LEARNING_MIN_FRAMES)
    assert gate.learnt
    return gate


def test_everything_passes_as_it_is_while_the_loudspeaker_is_silent() -> None:
    gate = EchoGate()
    gate.played(noise(-80), 40)
    assert gate.heard(WORD, WORD) is WORD
    assert gate.muted_frames == 0


def test_nothing_passes_until_the_canceller_has_shown_that_it_works() -> None:
    gate = EchoGate()
    passed = run(gate, ECHO, ECHO, 200)
    assert not any(passed[1:])  # the first is faded out
    assert not gate.learnt


def test_a_canceller_that_works_is_believed_after_two_seconds_and_no_sooner() -> None:
    gate = EchoGate()
    run(gate, ECHO, LEFT, LEARNING_MIN_FRAMES - 1)
    assert not gate.learnt
    run(gate, ECHO, LEFT, 1)
    assert gate.learnt


def test_a_canceller_that_begins_late_is_believed_after_sixty_frames_and_no_sooner() -> None:
    gate = EchoGate()
    run(gate, ECHO, ECHO, LEARNING_MIN_FRAMES)
    run(gate, ECHO, LEFT, PROOF_FRAMES - 1)
    assert not gate.learnt
    run(gate, ECHO, LEFT, 1)
    assert gate.learnt


def test_an_echo_that_comes_through_in_between_puts_the_belief_off() -> None:
    gate = EchoGate()
    run(gate, ECHO, ECHO, LEARNING_MIN_FRAMES)
    run(gate, ECHO, LEFT, PROOF_FRAMES - 1)
    run(gate, ECHO, ECHO, 1)
    run(gate, ECHO, LEFT, AGAINST)
    assert not gate.learnt
    run(gate, ECHO, LEFT, 1)
    assert gate.learnt


def test_what_becomes_of_an_echo_too_weak_to_hear_proves_nothing() -> None:
    gate = EchoGate()
    run(gate, noise(-70), noise(-90), 2 * LEARNING_MIN_FRAMES, played=noise(-45))
    assert not gate.learnt


def test_headphones_are_believed_after_sixty_frames_and_no_sooner() -> None:
    gate = EchoGate()
    run(gate, noise(-70), noise(-70), PROOF_FRAMES - 1)
    assert not gate.learnt
    run(gate, noise(-70), noise(-70), 1)
    assert gate.learnt


def test_a_canceller_that_never_works_shuts_the_microphone_for_eight_seconds_of_sound_only() -> (
    None
):
    gate = EchoGate()
    run(gate, WORD, WORD, round(LEARNING_MAX_S * 100) - 1)
    assert not gate.learnt
    run(gate, WORD, WORD, 1)
    assert gate.learnt


def test_a_voice_over_headphones_passes_as_it_was_heard_though_the_canceller_takes_it_away() -> (
    None
):
    gate = EchoGate()
    run(gate, noise(-65), noise(-80), 100)
    passed = []
    for _ in range(6):
        gate.played(LOUD, 40)
        passed.append(is_like(gate.heard(WORD, noise(-80)), WORD))
    assert passed == [False] * (ONSET_FRAMES - 1) + [True] * (7 - ONSET_FRAMES)


def test_an_echo_that_begins_when_headphones_come_off_passes_no_longer_than_a_second() -> None:
    gate = EchoGate()
    run(gate, noise(-65), noise(-80), 100)
    passed = []
    for _ in range(300):
        gate.played(LOUD, 40)
        passed.append(is_like(gate.heard(ECHO, LEFT), ECHO))
    assert not any(passed[101:])
    assert gate.learnt  # anew


def test_what_is_left_of_an_echo_does_not_pass() -> None:
    assert not any(run(learnt(), ECHO, LEFT, 50))


def test_a_voice_over_the_loudspeaker_passes_from_its_third_frame_on() -> None:
    gate = learnt()
    both: Int16 = ECHO + WORD
    passed = run(gate, both, WORD, 20)
    assert passed == [False] * (ONSET_FRAMES - 1) + [True] * (21 - ONSET_FRAMES)


def test_remains_of_an_echo_that_are_far_weaker_than_it_was_do_not_pass() -> None:
    gate = learnt()
    assert not any(run(gate, noise(-40), noise(-40), 20))
    assert any(run(gate, noise(-32), noise(-32), 20))


def test_a_voice_comes_up_within_one_frame() -> None:
    gate = learnt()
    run(gate, ECHO + WORD, WORD, ONSET_FRAMES - 1)
    gate.played(LOUD, 40)
    first = gate.heard(WORD, WORD)
    assert first[0] != WORD[0]
    assert first[-1] == WORD[-1]
    gate.played(LOUD, 40)
    assert gate.heard(WORD, WORD) is WORD


def test_while_the_noise_was_never_heard_alone_hiss_as_loud_takes_its_place() -> None:
    gate = EchoGate()
    run(gate, ECHO, noise(-60), 100)
    levels = []
    for _ in range(20):
        gate.played(LOUD, 40)
        levels.append(rms_dbfs(gate.heard(ECHO, noise(-60))))
    assert max(levels) < -57
    assert min(levels) > -64


def test_a_steady_echo_that_is_not_cancelled_is_not_taken_for_loud_noise() -> None:
    gate = EchoGate()
    run(gate, ECHO, ECHO, 100)
    gate.played(LOUD, 40)
    assert rms_dbfs(gate.heard(ECHO, ECHO)) < HISS_MAX_DBFS + 2


def test_weak_sounds_within_a_word_pass_for_a_tenth_of_a_second() -> None:
    gate = learnt()
    run(gate, ECHO + WORD, WORD, ONSET_FRAMES)
    passed = run(gate, ECHO, LEFT, HELD_OPEN_FRAMES + 5)
    # The last that passes is faded out.
    assert passed == [True] * HELD_OPEN_FRAMES + [False] * 5


def test_the_gate_stays_until_the_room_has_stopped_ringing_and_no_longer() -> None:
    gate = EchoGate()
    gate.played(LOUD, 40)
    n_frames = (40 + RING_MS) // 10
    passed = [is_like(gate.heard(ECHO, ECHO), ECHO)]
    for _ in range(n_frames + 2):
        gate.played(np.zeros_like(LOUD), 40)
        passed.append(is_like(gate.heard(ECHO, ECHO), ECHO))
    assert passed[1:] == [False] * (n_frames - 1) + [True] * 3


def test_frames_that_did_not_pass_are_counted() -> None:
    gate = EchoGate()
    run(gate, ECHO, ECHO, 7)
    assert gate.muted_frames == 7


def test_what_does_not_pass_is_filled_with_the_room_s_noise_as_it_was() -> None:
    gate = EchoGate()
    quiet = [noise(-52) for _ in range(100)]
    for frame in quiet:
        gate.played(noise(-80), 40)
        gate.heard(frame, frame)
    gate.played(LOUD, 40)
    gate.heard(ECHO, ECHO)
    for _ in range(20):
        gate.played(LOUD, 40)
        filled = gate.heard(ECHO, ECHO)
        assert any(filled is frame for frame in quiet)


def test_a_word_that_was_said_before_is_not_taken_for_noise() -> None:
    gate = EchoGate()
    for number in range(200):
        gate.played(noise(-80), 40)
        frame = WORD if number % 4 == 0 else noise(-52)
        gate.heard(frame, frame)
    filled = []
    for _ in range(60):
        gate.played(LOUD, 40)
        filled.append(rms_dbfs(gate.heard(ECHO, ECHO)))
    assert max(filled[1:]) < -48


def test_noise_over_the_loudspeaker_is_no_voice() -> None:
    gate = EchoGate()
    for _ in range(100):
        gate.played(noise(-80), 40)
        gate.heard(noise(-45), noise(-45))
    run(gate, ECHO, noise(-45), LEARNING_MIN_FRAMES)
    assert gate.learnt
    muted = gate.muted_frames
    run(gate, noise(-44), noise(-45), 50)
    assert gate.muted_frames == muted + 50
    run(gate, ECHO + WORD, WORD, ONSET_FRAMES)
    assert gate.muted_frames == muted + 50 + ONSET_FRAMES - 1
