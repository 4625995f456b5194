import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from bridge.legs.reset import reset


@contextlib.asynccontextmanager
async def stalled() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.WriteTransport]]:
    """A client that has not read, and the server's transport to it with much to send."""
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    reader, writer = await asyncio.open_connection(host, port, limit=1)
    writer.transport.pause_reading()  # type: ignore[attr-defined] # a read-write transport
    far = await accepted
    far.write(bytes(10_000_000))
    await asyncio.sleep(0.05)
    try:
        yield reader, far.transport
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            await reader.read()
    finally:
        writer.close()
        far.close()
        server.close()
        await server.wait_closed()


async def test_what_was_not_read_is_dropped() -> None:
    async with asyncio.timeout(5), stalled() as (reader, transport):
        assert transport.get_write_buffer_size() > 0
        reset(transport)
        reset(transport)
        await asyncio.sleep(0.05)

        reader._transport.resume_reading()  # type: ignore[attr-defined] # as a client would that reads at last
        with pytest.raises(ConnectionResetError):
            await _read_all(reader)


async def _read_all(reader: asyncio.StreamReader) -> None:
    while await reader.read(65_536):
        pass


@pytest.mark.parametrize("make", [uvloop.new_event_loop])
def test_the_same_holds_on_uvloop(make: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=make) as runner:
        runner.run(test_what_was_not_read_is_dropped())
