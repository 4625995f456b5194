"""The REST side of the front door: uvicorn's HTTP protocol without uvicorn's server.

uvicorn 0.34 and later. What it decides elsewhere (signals, listening, keep-alive deadlines, WebSockets, logging)
is switched off here, because the front door does it. `H11Protocol`, its `cycle`, `conn`, `flow`, `logger`,
`send_400_response` and `_should_upgrade` stand in no public page and are touched in this module only.
"""

import asyncio
import logging
from collections.abc import Callable
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from bridge.clock import Clock
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


# uvicorn would write a line for each request that is no HTTP.
_log = logging.getLogger(f"{__name__}.uvicorn")
_log.setLevel(logging.ERROR)

MAX_SMALL_CHUNKS: Final = 1000
SMALL_CHUNK_BYTES: Final = 64


class RestConnection(H11Protocol):
    """Requests and responses of one connection.

    `on_response()` is called after each response, `on_nonsense()` when what came is no HTTP and nothing is answered.
    """

    def __init__(
        self,
        config: Config,
        state: ServerState,
        scope_state: dict[str, object],
        on_response: Callable[[], None],
        on_nonsense: Callable[[], None],
    ) -> None:
        super().__init__(config, state, scope_state)
        self.conn = _Parser(h11.SERVER, config.h11_max_incomplete_event_size or 0)
        self.logger = _log
        self._on_response = on_response
        self._on_nonsense = on_nonsense

    @property
    def between_requests(self) -> bool:
        """Whether everything asked has been answered and nothing of another request is here."""
        states = {self.conn.our_state, self.conn.their_state}
        return states == {h11.IDLE} and not self.conn.trailing_data[0]

    @property
    def client_owes(self) -> bool:
        """Whether a request has begun and its end is not here."""
        return not self.between_requests and self.conn.their_state in {h11.IDLE, h11.SEND_BODY}

    @property
    def answering(self) -> bool:
        """Whether a response has begun and is not complete."""
        cycle = self.cycle
        return cycle is not None and cycle.response_started and not cycle.response_complete

    def on_response_complete(self) -> None:
        """A response is complete."""
        super().on_response_complete()
        self._unset_keepalive_if_required()  # the visit has a deadline of its own
        self._on_response()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the sentence is the door's
        """What the client sent is no HTTP: refuse it, or close if it is being answered already."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            self._on_nonsense()
        else:
            self.transport.close()

    def _should_upgrade(self) -> bool:
        # Upgrades were the visit's to take. uvicorn would advise about packages, once for each request.
        return False

    def drop(self) -> None:
        """The connection is none of REST's any more; the application hears that the client left."""
        super().connection_lost(
            ConnectionAbortedError()
        )  # given an error it leaves the transport open


class _Parser(h11.Connection):
    """h11's parser, which takes no body in crumbs.

    Every chunk costs as much, however small: a mebibyte in chunks of a byte would keep the event loop, and with it all
    audio, from its work for seconds. More than a thousand chunks have to hold 64 bytes each on average.
    """

    _n_chunks = 0
    _n_bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        """See h11."""
        event = super().next_event()
        if isinstance(event, h11.Data):
            self._n_chunks += event.chunk_start
            self._n_bytes += len(event.data)
            if self._n_chunks - 1 > max(MAX_SMALL_CHUNKS - 1, self._n_bytes // SMALL_CHUNK_BYTES):
                raise h11.RemoteProtocolError("the body comes in too many small chunks")
        elif isinstance(event, h11.EndOfMessage):
            self._n_chunks = self._n_bytes = 0
        return event


class RestServer:
    """An ASGI application, its lifespan and its connections."""

    def __init__(self, app: "ASGIApp", clock: Clock, max_head_bytes: int) -> None:
        self._clock = clock
        self._state = ServerState()
        self._config = Config(
            app,
            ws="none",
            loop="none",
            lifespan="auto",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            h11_max_incomplete_event_size=max_head_bytes,
        )
        self._config.load()
        self._lifespan = self._config.lifespan_class(self._config)

    async def start(self) -> None:
        """Start the application. Raises BridgeError if it does not."""
        await self._lifespan.startup()
        if self._lifespan.should_exit:
            raise BridgeError("the REST application did not start; its log says why")

    async def stop(self) -> None:
        """Cancel the requests that still run and stop the application."""
        tasks = list(self._state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._lifespan.shutdown()

    def connection(
        self, on_response: Callable[[], None], on_nonsense: Callable[[], None]
    ) -> RestConnection:
        """A protocol for one connection."""
        state = self._lifespan.state
        return RestConnection(self._config, self._state, state, on_response, on_nonsense)

    def stamp(self) -> None:
        """Put the present instant into the Date header of the responses to come."""
        date = format_datetime(self._clock(), usegmt=True)
        self._state.default_headers = [(b"date", date.encode("ascii"))]
