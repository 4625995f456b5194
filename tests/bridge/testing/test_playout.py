import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.testing.playout import Playout
from bridge_codecs.pcm import Int16, silence


def ramp(n: int, start: int = 1) -> Int16:
    return np.arange(start, start + n, dtype=np.int16)


def test_audio_comes_out_in_order_across_the_pieces_it_came_in() -> None:
    playout = Playout()
    playout.push(ramp(100))
    playout.push(ramp(250, 101))

    first, second, third = (playout.packet(160) for _ in range(3))

    assert np.array_equal(np.concatenate([first.samples, second.samples]), ramp(320))
    assert (first.n_real, second.n_real, third.n_real) == (160, 160, 30)
    assert np.array_equal(third.samples[:30], ramp(30, 321))
    assert not third.samples[30:].any()


def test_a_mark_is_reached_with_the_packet_after_its_last_sample() -> None:
    playout = Playout()
    playout.push(ramp(320))
    assert not playout.mark("a")

    assert [playout.packet(160).reached for _ in range(3)] == [(), (), ("a",)]


def test_a_mark_waits_for_the_packet_that_is_being_heard() -> None:
    playout = Playout()
    playout.push(ramp(160))
    playout.packet(160)

    assert not playout.mark("a")
    assert playout.packet(160).reached == ("a",)
    assert playout.mark("b")


def test_marks_come_back_in_the_order_they_were_sent_in() -> None:
    playout = Playout()
    playout.push(ramp(10))
    playout.mark("a")
    playout.mark("b")

    playout.packet(160)

    assert playout.packet(160).reached == ("a", "b")


def test_a_clear_takes_what_was_not_given_out_and_every_mark() -> None:
    playout = Playout()
    playout.push(ramp(400))
    playout.packet(160)
    playout.mark("a")

    flushed = playout.clear()

    assert (flushed.n_samples, flushed.marks) == (240, ("a",))
    assert playout.packet(160).n_real == 0
    assert (playout.received, playout.played, playout.flushed) == (400, 160, 240)


def test_marks_after_a_clear_count_from_what_was_played() -> None:
    playout = Playout()
    playout.push(ramp(400))
    playout.packet(160)
    playout.clear()
    playout.push(ramp(160))
    playout.mark("new")

    assert [playout.packet(160).reached for _ in range(2)] == [(), ("new",)]


def test_a_pause_gives_silence_and_keeps_what_waits() -> None:
    playout = Playout()
    playout.push(ramp(160))
    playout.paused = True
    assert playout.packet(160).n_real == 0
    playout.paused = False

    assert np.array_equal(playout.packet(160).samples, ramp(160))


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(0, 700)),
        st.tuples(st.just("packet"), st.just(160)),
        st.tuples(st.just("mark"), st.integers(0, 3)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=60,
)


@given(ACTS)
def test_every_sample_is_played_flushed_or_waiting_and_every_mark_comes_back_once(
    acts: list[tuple[str, int]],
) -> None:
    playout = Playout()
    sent: list[str] = []
    back: list[str] = []
    heard = silence(0)
    for act, n in acts:
        if act == "push":
            playout.push(ramp(n))
        elif act == "packet":
            packet = playout.packet(n)
            back += packet.reached
            heard = np.append(heard, packet.samples[: packet.n_real])
            assert packet.samples.size == n
        elif act == "mark":
            name = f"{len(sent)}"
            sent.append(name)
            back += [name] if playout.mark(name) else []
        else:
            back += playout.clear().marks
        assert playout.received == playout.played + playout.flushed + playout.waiting
        assert playout.played == heard.size
    while playout.waiting or playout.pending_marks:
        back += playout.packet(160).reached
    assert back == sent
