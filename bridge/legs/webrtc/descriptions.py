"""Session descriptions: taking theirs, making ours, and saying in one sentence what is wrong with one."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.exceptions import InvalidStateError, OperationError

from bridge.errors import BridgeError, RemoteWireError
from bridge.legs.webrtc import inside, sdp_text

Kind: TypeAlias = Literal["offer", "answer"]


class Descriptions:
    """Those of one connection, one after the other.

    Args:
        connection: what they describe.
        must_live: raises BridgeError once the connection is closing: then nothing of it is the peer's fault.
        adopt: takes what a description of theirs has brought about.
        external_address: what stands in ours in place of our own addresses; None leaves them.
    """

    def __init__(
        self,
        connection: RTCPeerConnection,
        *,
        must_live: Callable[[], None],
        adopt: Callable[[], None],
        external_address: str | None,
    ) -> None:
        self._connection = connection
        self._must_live = must_live
        self._adopt = adopt
        self._external_address = external_address

    async def take(self, sdp: str, kind: Kind, *, needs_audio: bool = False) -> None:
        """Take the peer's. Raises: RemoteWireError for one that cannot be used."""
        self._must_live()
        text = sdp_text.checked(sdp, needs_audio=needs_audio)
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(text, kind))
        except Exception as exc:  # noqa: BLE001 - whatever it stumbles over, the description is to blame
            self._must_live()
            raise RemoteWireError(f"the {kind} cannot be used: {_reason(exc)}") from None
        self._adopt()
        for transceiver in self._connection.getTransceivers():
            elsewhere = transceiver.kind != "audio" or transceiver.mid is None
            if not elsewhere and not inside.only_opus(transceiver):
                raise RemoteWireError(f"the {kind} has audio without Opus; offer opus/48000/2")

    async def make(self, kind: Kind) -> str:
        """Make ours, open sockets, and say it. Raises: BridgeError if no socket can be opened."""
        connection = self._connection
        try:
            made = await (
                connection.createOffer() if kind == "offer" else connection.createAnswer()
            )
            await connection.setLocalDescription(made)
        except BridgeError:
            raise
        except Exception as exc:  # noqa: BLE001 - an offer of a strange shape
            self._must_live()
            raise RemoteWireError(f"no {kind} could be made: {_reason(exc)}") from None
        return sdp_text.ours(connection.localDescription.sdp, self._external_address)


def _reason(exc: Exception) -> str:
    """What aiortc says is wrong, if it says it in words of its own; never what the peer has sent."""
    told = str(exc)
    # Python's own sentences begin small, or are of other kinds; they quote what they stumbled over.
    if isinstance(exc, ValueError | InvalidStateError | OperationError) and told[:1].isupper():
        return told
    return "it is not written as WebRTC wants it"
