"""Token buckets, strikes and the meter of one peer."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.limits import (
    FROM_CLIENT,
    FROM_SERVER,
    Meter,
    SocketLimits,
    Strikes,
    TokenBucket,
)


def test_a_full_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(rate_per_s=8, burst=3)

    at_once = [bucket.take(1, 100.0) for _ in range(4)]
    later = [bucket.take(1, 100.125), bucket.take(1, 100.125)]

    assert at_once == [True, True, True, False]
    assert later == [True, False]


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=3)
    bucket.take(3, 0.0)

    assert not bucket.take(4, 1_000_000.0)
    assert bucket.take(3, 1_000_000.0)


def test_what_a_bucket_refuses_takes_nothing_from_it() -> None:
    bucket = TokenBucket(rate_per_s=0, burst=3)

    assert not bucket.take(4, 0.0)
    assert bucket.take(3, 0.0)


def test_a_clock_that_steps_back_neither_gives_nor_takes() -> None:
    bucket = TokenBucket(rate_per_s=8, burst=2)
    bucket.take(2, 100.0)

    assert not bucket.take(1, 50.0)
    assert not bucket.take(1, 100.0625)
    assert bucket.take(1, 100.125)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 5)), max_size=50))
def test_no_bucket_gives_more_than_burst_and_rate_allow(asked: list[tuple[float, int]]) -> None:
    bucket = TokenBucket(rate_per_s=3, burst=4)
    now_s, given_tokens = 0.0, 0

    for pause_s, n in asked:
        now_s += pause_s
        given_tokens += n if bucket.take(n, now_s) else 0

    assert given_tokens <= 4 + 3 * now_s + 1e-6


def test_the_last_allowed_strike_is_no_offence_and_the_next_is() -> None:
    strikes = Strikes(limit=3, window_s=10)

    assert [strikes.strike(now_s) for now_s in (0.0, 5.0, 10.0)] == [False, False, True]


def test_strikes_spread_wider_than_the_window_are_forgotten() -> None:
    strikes = Strikes(limit=3, window_s=10)

    assert not any(strikes.strike(5.01 * n) for n in range(100))


def test_a_meter_without_limits_lets_everything_pass() -> None:
    meter = Meter(SocketLimits(frame_bytes=1), rate_hz=8_000)

    assert all(meter.frame(0.0) and meter.message(0.0) for _ in range(10_000))
    assert meter.audio(10**9, 0.0)


def test_a_client_may_send_four_times_real_time_after_a_burst_of_ten_seconds() -> None:
    meter = Meter(FROM_CLIENT, rate_hz=8_000)

    assert meter.audio(80_000, 0.0)
    assert not meter.audio(1, 0.0)
    assert meter.audio(32_000, 1.0)
    assert not meter.audio(1, 1.0)


def test_a_client_may_send_500_frames_and_100_messages_per_second_after_a_burst() -> None:
    meter = Meter(FROM_CLIENT, rate_hz=8_000)

    frames = sum(meter.frame(0.0) for _ in range(2_000)), sum(meter.frame(1.0) for _ in range(999))
    messages = (
        sum(meter.message(0.0) for _ in range(999)),
        sum(meter.message(1.0) for _ in range(999)),
    )

    assert frames == (1_000, 500)
    assert messages == (200, 100)


def test_a_server_has_no_rate() -> None:
    assert FROM_SERVER.frames_per_s is FROM_SERVER.messages_per_s is None
    assert FROM_SERVER.real_time_factor is None


@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 2.0]), st.sampled_from([1, 2]))),
)
def test_two_buckets_asked_at_once_give_what_they_give_one_by_one(
    asked: list[tuple[float, int]],
) -> None:
    both = TokenBucket(rate_per_s=4, burst=4), TokenBucket(rate_per_s=8, burst=5)
    each = TokenBucket(rate_per_s=4, burst=4), TokenBucket(rate_per_s=8, burst=5)
    now_s = 0.0

    for pause_s, n in asked:
        now_s += pause_s
        one_by_one = [each[0].take(1, now_s), each[1].take(n, now_s)]
        if both[0].take_both(1, both[1], n, now_s):
            assert one_by_one == [True, True]
        else:
            assert one_by_one != [True, True]
            assert [both[0].take(1, now_s), both[1].take(n, now_s)] == one_by_one


def test_of_two_buckets_neither_gives_if_one_has_too_little() -> None:
    one, other = TokenBucket(rate_per_s=4, burst=4), TokenBucket(rate_per_s=8, burst=2)

    assert one.take_both(1, other, 2, 0.0)
    assert not one.take_both(1, other, 2, 0.125)
    assert one.take(3, 0.125)
    assert other.take(1, 0.125)
    assert not one.take_both(2, other, 1, 0.25)
    assert one.take_both(0.5, other, 1, 0.25)
