"""What our helper programs have in common: their end of the two pipes, and work done in a fork.

Both pipes carry frames: four bytes of length (little-endian), then JSON, and where its field
`n_bytes` says so that many bytes behind it. A helper greets first; then each request has one reply.
A greeting or a reply with the field `error` holds a sentence.
Imported by helper processes only, so it needs nothing but the standard library.
"""

import json
import os
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO


def open_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Requests and replies; what else is printed goes to standard error from now on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, replies


def read(pipe: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None when the other end has closed."""
    head = pipe.read(4)
    if len(head) < 4:
        return None
    fields: dict[str, Any] = json.loads(pipe.read(struct.unpack("<I", head)[0]))
    return fields, pipe.read(fields.get("n_bytes", 0))


def write(pipe: BinaryIO, fields: Mapping[str, object], data: bytes = b"") -> None:
    """Send a frame."""
    body = json.dumps({**fields, "n_bytes": len(data)}).encode()
    pipe.write(struct.pack("<I", len(body)) + body + data)
    pipe.flush()


def in_fork(work: Callable[[], int]) -> int:
    """Do the work in a copy of this process; returns what it returns (0 to 127), other numbers if it died."""
    pid = os.fork()
    if pid == 0:
        status = 255
        try:
            status = work()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
