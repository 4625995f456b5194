"""LiveKit's protobuf frames for tests: built from plain fields, read to plain dicts, broken by a seed."""

import random
from typing import Any

from google.protobuf.json_format import MessageToDict, ParseDict
from livekit.protocol import rtc

from bridge.wire.livekit.join_request import JoinRequest
from bridge.wire.livekit.names import RoomNames, room_names
from bridge.wire.livekit.server_session import ServerSession

Fields = dict[str, Any]
CANDIDATE = (
    '{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0","sdpMLineIndex":0}'
)


def request(**message: Any) -> bytes:
    """A SignalRequest: ``request(offer={"sdp": "…", "id": 1})``, in the protobufs' JSON."""
    return ParseDict(message, rtc.SignalRequest()).SerializeToString()


def response(**message: Any) -> bytes:
    """A SignalResponse."""
    return ParseDict(message, rtc.SignalResponse()).SerializeToString()


def read_request(data: bytes) -> Fields:
    """A SignalRequest as the protobufs' JSON."""
    return MessageToDict(rtc.SignalRequest.FromString(data))


def read_response(data: bytes) -> Fields:
    """A SignalResponse as the protobufs' JSON."""
    return MessageToDict(rtc.SignalResponse.FromString(data))


def names() -> RoomNames:
    return room_names("call-1", random.Random(7))


def server(version: str = "v1", joined: bool = True) -> ServerSession:
    """A session with names that are the same each time."""
    source = random.Random(7)
    session = ServerSession("v1" if version == "v1" else "v0", room_names("call-1", source), source)
    if joined:
        session.begin(JoinRequest(session.version), 0.0)
    return session


def broken(data: bytes, seed: int) -> bytes:
    """The frame with one to four things wrong: cut, bits turned, bytes put in, doubled, lengthened."""
    chance = random.Random(seed)
    frame = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(frame) + 1)
        match chance.randrange(6):
            case 0:
                del frame[at:]
            case 1:
                del frame[:at]
            case 2 if at < len(frame):
                frame[at] ^= 1 << chance.randrange(8)
            case 3:
                frame[at:at] = chance.randbytes(chance.randint(1, 8))
            case 4:
                frame += frame[:at]
            case _:
                frame[at:at] = b"\xff" * chance.choice((1, 9, 300))
    return bytes(frame)
