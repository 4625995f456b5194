"""Helper processes that do what a test says instead of speaking or hearing."""

import sys
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]
_START: Final = f"""
import os, signal, sys, time
sys.path.append({str(_ROOT)!r})
from bridge.brains.speech.helper_program import in_fork, open_pipes, read, write
requests, replies = open_pipes()
"""
GREET: Final = 'write(replies, {"lasting": True})\n'
ECHO: Final = """
while (request := read(requests)) is not None:
    write(replies, {"heard": request[0]}, request[1])
"""
HANG: Final = "time.sleep(60)\n"


def fake(body: str) -> tuple[str, ...]:
    """The command of a process with pipes open, which then does `body`."""
    return (sys.executable, "-I", "-S", "-c", _START + body)
