"""AudioSocket's own TCP port: connections are cut into frames, and each is a phone call that its UUID will name."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bridge.carrier_config import AudioSocketConfig
from bridge.errors import RemoteWireError, UsageError
from bridge.gateway.phone.carriers.base import CallComes, Carrier, PhoneNumbers
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.quiet_log import QuietLog
from bridge.ids import Ids
from bridge.legs.media_socket import MediaSocket, SocketReceiver
from bridge.legs.tcp_socket import TcpSocket
from bridge.wire.carriers.audiosocket import TlvReader
from bridge.wire.close_codes import NORMAL, TRY_LATER

log = logging.getLogger(__name__)

NAME: Final = "audiosocket"
MAX_STARTING: Final = 100
"""Connections that have not yet begun a stream."""
_BACKLOG: Final = 128


class AudioSocketDoor:
    """Takes AudioSocket's connections.

    Args:
        desk: whose calls they are.
        carrier: AudioSocket.
        ids: draws UUIDs.
    """

    def __init__(self, desk: PhoneDesk, carrier: Carrier, ids: Ids) -> None:
        self._desk = desk
        self._carrier = carrier
        self._ids = ids
        self._quiet = QuietLog(log)

    def expect(self, numbers: PhoneNumbers) -> str | tuple[int, str]:
        """A call is about to come: the UUID that its stream shall begin with; or status and sentence if none may."""
        if full := self._desk.may_take():
            return 503, full
        route = self._desk.route(self._carrier.name, numbers)
        if isinstance(route, str):
            self._quiet.warning("! %s: a call is refused: %s", NAME, route)
            return 404, "No route takes this call."
        comes = CallComes(self._ids.uuid(), numbers)
        self._desk.expect(self._carrier, comes, route)
        return comes.call_id

    def take(self, socket: MediaSocket) -> None:
        """A connection is there; its bytes come in pieces of any size."""
        if why := self._refusal():
            self._quiet.warning("! %s: a connection is refused: %s", NAME, why)
            socket.close(TRY_LATER, "no call is taken now")
            return
        self._desk.connect(self._desk.unannounced(self._carrier), FramedSocket(socket))

    def _refusal(self) -> str | None:
        """Why a connection is not taken, in a sentence; None if it is.

        One that was announced has its place already, also when all lines are taken or the service drains; a stranger
        among those gets no further than its UUID.
        """
        calls = [call for call in self._desk.live() if call.by is self._carrier]
        begun = [call for call in calls if call.phase == "starting"]
        starting = sum("start" not in call.record.stages for call in begun)
        waiting = sum(call.phase == "waiting" for call in calls)
        if starting >= MAX_STARTING:
            return "too many have not begun"
        if self._carrier.only_expected:
            return None if waiting else "no call is announced"
        return None if starting < waiting else self._desk.may_take()

    @asynccontextmanager
    async def listening(self, config: AudioSocketConfig) -> AsyncIterator[int]:
        """Listen for the time of the context; gives the port. Raises: UsageError if the address cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                self._protocol, config.host, config.port, backlog=_BACKLOG
            )
        except OSError as exc:
            number = exc.errno or 0  # asyncio wraps the system's words into a sentence of its own
            why = os.strerror(number) if number > 0 else exc.strerror or exc
            raise UsageError(
                f"cannot listen on {config.host} port {config.port} for AudioSocket: {why}"
            ) from exc
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            await server.wait_closed()

    def _protocol(self) -> asyncio.Protocol:
        return _Arriving(self)


class _Arriving(TcpSocket):
    """A connection that is taken as soon as it is there."""

    def __init__(self, door: AudioSocketDoor) -> None:
        super().__init__()
        self._door = door

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._door.take(self)


class FramedSocket:
    """A connection whose receiver gets whole frames of AudioSocket."""

    def __init__(self, inner: MediaSocket) -> None:
        self._inner = inner

    @property
    def buffered_bytes(self) -> int:
        """See MediaSocket."""
        return self._inner.buffered_bytes

    @property
    def peer(self) -> str:
        """See MediaSocket."""
        return self._inner.peer

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._inner.start(_Cutter(receiver, self._inner))

    def send_text(self, text: str) -> None:
        """See MediaSocket."""
        self._inner.send_text(text)

    def send_bytes(self, data: bytes) -> None:
        """See MediaSocket."""
        self._inner.send_bytes(data)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See MediaSocket."""
        self._inner.close(code, reason)


class _Cutter:
    """Cuts what comes into frames."""

    def __init__(self, receiver: SocketReceiver, socket: MediaSocket) -> None:
        self._receiver = receiver
        self._socket = socket
        self._reader = TlvReader()

    def on_text(self, text: str) -> None:
        """See SocketReceiver."""
        self._receiver.on_text(text)

    def on_bytes(self, data: bytes) -> None:
        """See SocketReceiver."""
        try:
            frames = self._reader.feed(data)
        except RemoteWireError as exc:
            self._socket.close(exc.close_code, str(exc))
            return
        for frame in frames:
            self._receiver.on_bytes(frame)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """See SocketReceiver."""
        self._receiver.on_close(code, reason, ours=ours)
