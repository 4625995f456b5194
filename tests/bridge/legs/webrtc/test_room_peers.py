"""Our peer connections in a room: which servers they ask."""

from bridge.audio.lane import Lane
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.legs.webrtc.room_peers import RoomPeers
from bridge.wire.livekit import events
from bridge_codecs.pcm import Int16

TOLD = (
    events.IceServer(("http://no", "turn:127.0.0.1:9"), "user", "word"),
    events.IceServer(("gopher:",)),
    events.IceServer(("stun:127.0.0.1:9",)),
)


class Stay:
    """Hears nothing of connections that are never made."""

    def hear(self, samples: Int16) -> None:
        raise AssertionError

    def data(self, packet: bytes | str) -> None:
        raise AssertionError

    def too_long(self) -> None:
        raise AssertionError

    def broke(self, why: str) -> None:
        raise AssertionError(why)


async def peers_with(*configured: IceServer) -> RoomPeers:
    options = RtcOptions(ice_servers=configured)
    peers = RoomPeers(options, Lane(16_000, 100, "drop_oldest"), Stay())
    peers.use(TOLD)
    await peers.close()
    return peers


async def test_the_rooms_servers_are_asked_but_for_useless_addresses() -> None:
    peers = await peers_with()

    assert peers._options.ice_servers == (
        IceServer("turn:127.0.0.1:9", "user", "word"),
        IceServer("stun:127.0.0.1:9"),
    )
    assert peers._options.room_servers


async def test_configured_servers_stand() -> None:
    mine = IceServer("stun:127.0.0.1:1")

    options = (await peers_with(mine))._options
    assert options.ice_servers == (mine,)
    assert not options.room_servers


async def test_nothing_goes_out_before_there_is_a_channel() -> None:
    peers = await peers_with()

    assert peers.send(b"x") is False
    peers.add_candidate("subscriber", "{}")
