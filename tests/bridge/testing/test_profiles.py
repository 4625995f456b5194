import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import UsageError
from bridge.testing.profiles import PROFILES, Path, Profile, cut_instant, profile_named

INSTANTS = st.lists(st.floats(0, 0.2), min_size=1, max_size=200)
profiles = pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())


def arrivals(profile: Profile, gaps_s: list[float], seed: str = "s") -> list[tuple[float, float]]:
    path = Path(profile, seed)
    now_s, pairs = 0.0, []
    for gap_s in gaps_s:
        now_s += gap_s
        pairs.append((now_s, path.arrival(now_s)))
    return pairs


@profiles
@given(gaps_s=INSTANTS)
def test_a_stream_stays_in_order_and_nothing_comes_before_it_was_sent(
    profile: Profile, gaps_s: list[float]
) -> None:
    pairs = arrivals(profile, gaps_s)

    assert all(arrived >= sent for sent, arrived in pairs)
    assert [arrived for _, arrived in pairs] == sorted(arrived for _, arrived in pairs)
    assert pairs == arrivals(profile, gaps_s)


@profiles
def test_a_minute_of_frames_is_delayed_by_no_more_than_its_kind_of_network_does(
    profile: Profile,
) -> None:
    delays = [arrived - sent for sent, arrived in arrivals(profile, [0.02] * 3_000)]

    most_ms = profile.delay_ms + 8 * profile.jitter_ms + profile.hold_ms[1] + profile.bundle_ms
    assert max(delays) <= most_ms / 1000 + 1e-9
    assert min(delays) >= profile.delay_ms / 1000
    if profile.hold_every_s:
        assert max(delays) >= profile.hold_ms[0] / 1000


def test_another_seed_is_another_network() -> None:
    profile = PROFILES["hotel-wifi"]

    assert arrivals(profile, [0.02] * 50, "a") != arrivals(profile, [0.02] * 50, "b")


def test_bundled_messages_arrive_together() -> None:
    profile = Profile(name="plain", bundle_ms=100)

    assert {arrived for _, arrived in arrivals(profile, [0.02] * 5)} == {0.1}


def test_only_one_profile_breaks_the_connection() -> None:
    cuts = {name: cut_instant(profile, "s") for name, profile in PROFILES.items()}

    assert [name for name, cut_s in cuts.items() if cut_s is not None] == ["mid-word-disconnect"]


def test_an_unknown_profile_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'hotel-wifi'"):
        profile_named("hotel-wify")
