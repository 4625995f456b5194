"""A file as a response, read in blocks off the event loop.

The web framework's own file response reads in worker threads that the loop does not know of; this
one uses the loop's executor, so that it also works on a loop whose clock jumps.
"""

import asyncio
from collections.abc import AsyncIterator
from os import SEEK_END
from pathlib import Path
from typing import BinaryIO, Final

from fastapi.responses import StreamingResponse

_BLOCK_BYTES: Final = 64 * 1024


async def wav_response(path: Path) -> StreamingResponse:
    """The file as audio/wav, as long as it is now. Raises: FileNotFoundError."""
    loop = asyncio.get_running_loop()
    file = await loop.run_in_executor(None, _open, path)
    size = await loop.run_in_executor(None, file.seek, 0, SEEK_END)
    headers = {"Content-Length": str(size), "Accept-Ranges": "none"}
    return StreamingResponse(_blocks(file, size), media_type="audio/wav", headers=headers)


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


async def _blocks(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    with file:
        await loop.run_in_executor(None, file.seek, 0)
        while size > 0:
            block = await loop.run_in_executor(None, file.read, min(size, _BLOCK_BYTES))
            if not block:
                return
            size -= len(block)
            yield block
