"""Ids and chance from one source."""

import re
import uuid

from bridge.ids import Ids


def test_the_same_seed_draws_the_same_ids() -> None:
    first, second = Ids("job 7"), Ids("job 7")

    drawn = [
        (ids.uuid(), ids.token(), ids.invocation_id(), ids.random.random())
        for ids in (first, second)
    ]

    assert drawn[0] == drawn[1]


def test_other_seeds_draw_other_ids() -> None:
    assert len({Ids(seed).uuid() for seed in ("a", "b", 1, 2, None, None)}) == 6


def test_a_uuid_is_version_4_in_lower_case() -> None:
    drawn = Ids("a").uuid()

    assert uuid.UUID(drawn).version == 4
    assert uuid.UUID(drawn).variant == uuid.RFC_4122
    assert drawn == drawn.lower()


def test_a_token_is_safe_in_a_url_and_has_192_bits() -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", Ids(seed).token()) for seed in range(50))


def test_an_invocation_id_has_24_letters_or_digits() -> None:
    assert re.fullmatch(r"call_[A-Za-z0-9]{24}", Ids().invocation_id())


def test_a_thousand_tokens_without_seed_are_all_different() -> None:
    ids = Ids()

    assert len({ids.token() for _ in range(1000)}) == 1000
