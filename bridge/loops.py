"""Which event loop real time runs on: uvloop where it installs."""

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A new loop for real sockets."""
    try:
        import uvloop  # noqa: PLC0415 - it exists on some systems only
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
