"""The same call as `server.OurCall`, by aiortc alone: its own jitter buffer, decoder, encoder and pacing."""

import asyncio

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack


class StockCall:
    """Echoes a track: the packets of one are the frames of the other."""

    def __init__(self) -> None:
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._connection.on("track", self._echo)

    async def answer(self, offer: str) -> str:
        """See server.Call."""
        await self._connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self._connection.setLocalDescription()
        return str(self._connection.localDescription.sdp)

    async def close(self) -> None:
        """See server.Call."""
        await self._connection.close()

    def _echo(self, track: MediaStreamTrack) -> None:
        for transceiver in self._connection.getTransceivers():
            transceiver.sender.replaceTrack(_Echo(track))
            transceiver.direction = "sendrecv"


class _Echo(MediaStreamTrack):
    kind = "audio"

    def __init__(self, source: MediaStreamTrack) -> None:
        super().__init__()
        self._source = source

    async def recv(self) -> av.AudioFrame:
        try:
            frame = await self._source.recv()
        except MediaStreamError:
            await asyncio.sleep(0)
            raise
        assert isinstance(frame, av.AudioFrame)
        return frame
