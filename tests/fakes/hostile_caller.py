"""A program that calls a service again and again and misbehaves, for so long: ``python -m … URL KIND SECONDS``.

It prints how many calls it has made.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx

from tests.fakes.raw_websocket import TEXT, RawWebSocket, frame, upgrade
from tests.fakes.twilio_line import _NUMBERS, TwilioLine

AT_ONCE = 200


def media(line: TwilioLine) -> str:
    part = {"payload": "//8=" * 40}
    return json.dumps({"event": "media", "streamSid": line._stream_sid, "media": part})


def garbage(line: TwilioLine) -> str:
    part = {"payload": "%%%" * 50}
    return json.dumps({"event": "media", "streamSid": line._stream_sid, "media": part})


def mark(line: TwilioLine) -> str:
    return json.dumps({"event": "mark", "streamSid": line._stream_sid, "mark": {"name": "m1"}})


def key(line: TwilioLine) -> str:
    return json.dumps({"event": "dtmf", "streamSid": line._stream_sid, "dtmf": {"digit": "7"}})


KINDS: Mapping[str, Callable[[TwilioLine], str]] = {
    "media": media,
    "garbage": garbage,
    "marks": mark,
    "keys": key,
}


async def misbehave(url: str, http: httpx.AsyncClient, kind: str) -> None:
    """One call that sends as much as it can until it is closed."""
    line = await TwilioLine.call(url, http)
    message = KINDS[kind](line)
    while not line.closed.is_set():
        for _ in range(AT_ONCE):
            line._socket.send_text(message)
        await asyncio.sleep(0.004)  # fifty thousand a second: a thousand times real time
    await line.over()


async def knock(url: str, http: httpx.AsyncClient, kind: str) -> None:
    """A socket that nobody has signed, with a message behind its request."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    token = "x" * 60
    writer.write(upgrade(f"/carriers/twilio/media/{token}") + frame(TEXT, b"[" * 1_000))
    await reader.read()
    await RawWebSocket(reader, writer).leave()


async def main(url: str, kind: str, seconds: float) -> None:
    for _ in range(1_000):
        next(_NUMBERS)  # the first ones are calls of the program that started this one
    loop = asyncio.get_running_loop()
    n, until_s = 0, loop.time() + seconds
    act = knock if kind == "knocks" else misbehave
    async with httpx.AsyncClient(trust_env=False) as http:
        while loop.time() < until_s:
            async with asyncio.timeout(10):
                await act(url, http, kind)
            n += 1
    sys.stdout.write(f"{n}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
