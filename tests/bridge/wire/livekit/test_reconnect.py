"""What a client that wants to resume is told."""

import pytest

from bridge.wire.livekit.events import Version
from bridge.wire.livekit.join_request import JoinRequest
from bridge.wire.livekit.reconnect import rejoin_steps
from tests.fakes.livekit_frames import read_response

LEAVE = {"leave": {"canReconnect": True, "reason": "STATE_MISMATCH", "action": "RECONNECT"}}


@pytest.mark.parametrize(
    ("version", "protocol", "told"),
    [
        ("v1", 17, [LEAVE]),
        ("v1", 0, [LEAVE]),
        ("v0", 16, [LEAVE]),
        ("v0", 15, [{"reconnect": {}}, LEAVE]),
        ("v0", 9, [{"reconnect": {}}, LEAVE]),
    ],
)
def test_each_version_is_told_to_join_anew_in_its_own_way(
    version: Version, protocol: int, told: list[object]
) -> None:
    steps = rejoin_steps(JoinRequest(version, protocol=protocol, reconnect=True))

    assert [read_response(step.data) for step in steps] == told


def test_an_old_client_has_50_ms_to_believe_that_it_was_resumed() -> None:
    first, second = rejoin_steps(JoinRequest("v0", protocol=9, reconnect=True))

    assert (first.after_s, second.after_s) == (0.0, 0.05)
