"""Names in a room."""

import random
import re

from bridge.wire.livekit.names import make_sid, room_names


def test_sids_begin_as_clients_expect_and_are_new_each_time() -> None:
    source = random.Random(1)
    sids = {make_sid("TR", source) for _ in range(1_000)}

    assert len(sids) == 1_000
    assert all(re.fullmatch("TR_[A-Za-z0-9]{12}", sid) for sid in sids)


def test_a_client_that_joins_again_meets_the_same_room_under_new_names() -> None:
    source = random.Random(1)
    first = room_names("call-1", source)
    second = room_names("call-1", source, room_sid=first.room_sid)

    assert (first.room, first.room_sid) == (second.room, second.room_sid)
    assert first.user.sid != second.user.sid
    assert first.agent_track_sid != second.agent_track_sid


def test_the_agents_msid_is_its_participant_and_its_track() -> None:
    names = room_names("call-1", random.Random(1))

    assert names.agent_msid == (names.agent.sid, names.agent_track_sid)
