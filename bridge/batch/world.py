"""A call server of our own for a call to take place at: in process on the virtual clock, or on loopback sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bridge.batch.remote import HTTP_TIMEOUT_S
from bridge.brains.registry import DEFAULT_SCRIPT, SCRIPT, Brains, script_name, shipped_script
from bridge.brains.script.load import load_script
from bridge.brains.script.model import Script
from bridge.client import CallApi
from bridge.gateway.in_process import in_process
from bridge.gateway.listener import listening
from bridge.gateway.server import call_server
from bridge.legs.picows_socket import connect
from bridge.legs.webrtc.options import RtcOptions


@asynccontextmanager
async def embedded_world(
    brains: Brains,
    *,
    virtual: bool,
    seed: str,
    recordings: Path | None = None,
    rtc: RtcOptions | None = None,
) -> AsyncIterator[CallApi]:
    """A call server of our own for the time of the context.

    In virtual time REST goes through ASGI in process and sockets are in-memory pairs; else both go over a loopback port
    that the system chooses. `rtc`: how calls over WebRTC connect; None: there are none, as in virtual time.
    """
    chance = seed if virtual else None
    async with call_server(brains, recordings=recordings, seed=chance, rtc=rtc) as server:
        if virtual:
            async with in_process(server) as api:
                yield api
        else:
            async with (
                listening(server, host="127.0.0.1", port=0) as port,
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    timeout=HTTP_TIMEOUT_S,
                    trust_env=False,  # a proxy is no way to this process
                ) as http,
            ):
                yield CallApi(http, connect)


def embedded_agent(
    brains: Brains, *, agent: str | None, model: str | None, script: Path | None
) -> tuple[str | None, Script | None]:
    """The model to ask the embedded server for, and the script behind it, where there is one.

    Args:
        brains: of the server; a script file is made known to them.
        agent: a script that is shipped.
        model: any model of the server.
        script: a script file.

    Raises: UsageError, ConfigError.
    """
    if script is not None:
        name, loaded = script_name(script), load_script(script)
        brains.add_script(name, loaded)
        return SCRIPT + name, loaded
    if agent is not None:
        return SCRIPT + agent, shipped_script(agent)
    if model is None:
        return None, shipped_script(DEFAULT_SCRIPT)
    if model.startswith(SCRIPT):
        return model, shipped_script(model.removeprefix(SCRIPT))
    return model, None
