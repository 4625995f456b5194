"""The REST side of the front door: uvicorn's HTTP protocol without uvicorn's server.

uvicorn 0.34 and later. What it decides elsewhere (signals, listening, keep-alive deadlines, WebSockets, logging)
is switched off here, because the front door does it. `H11Protocol`, its `cycle`, `conn`,
`flow` and `_should_upgrade` stand in no public page and are touched in this module only.
"""

import asyncio
from collections.abc import Callable
from email.utils import format_datetime
from typing import TYPE_CHECKING

import h11
from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from bridge.clock import Clock
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class RestConnection(H11Protocol):
    """Requests and responses of one connection; `on_response()` is called after each response."""

    def __init__(
        self,
        config: Config,
        state: ServerState,
        scope_state: dict[str, object],
        on_response: Callable[[], None],
    ) -> None:
        super().__init__(config, state, scope_state)
        self._on_response = on_response

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

    def _should_upgrade(self) -> bool:
        # Upgrades were the visit's to take. uvicorn would advise about packages, once for each request.
        return False

    def drop(self) -> None:
        """The connection is none of REST's any more; the application hears that the client left."""
        super().connection_lost(
            ConnectionAbortedError()
        )  # given an error it leaves the transport open


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

    def connection(self, on_response: Callable[[], None]) -> RestConnection:
        """A protocol for one connection."""
        return RestConnection(self._config, self._state, self._lifespan.state, on_response)

    def stamp(self) -> None:
        """Put the present instant into the Date header of the responses to come."""
        date = format_datetime(self._clock(), usegmt=True)
        self._state.default_headers = [(b"date", date.encode("ascii"))]
