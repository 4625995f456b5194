"""The control run's gateway: what the sockets and the machine cost by themselves.

    python -m benchmarks.calls_per_core_parts.gateway_bare AI_SOCKET_PORT [--codecs]

Takes the payload out of each media event and hands it to the AI side as it is, and back: no codecs, no resampling, no
account, no checks, no limits. With ``--codecs``, µ-law becomes 48 kHz linear and back on the way: still a program that
nobody should put on a telephone line, but the floor for one that resamples.
"""

import argparse
import asyncio
import binascii
import gc
from typing import Final

import picows
import uvloop

from benchmarks.calls_per_core_parts.steering import count_tasks, obey, say
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import from_bytes, to_bytes
from bridge_codecs.resample import Resampler

HOST: Final = "127.0.0.1"
AI_HZ: Final = 48_000
_BINARY = picows.WSMsgType.BINARY
_TEXT = picows.WSMsgType.TEXT


class Audio:
    """What is done to the audio between the sides: nothing."""

    def up(self, payload: bytes) -> bytes:
        """Caller to AI."""
        return payload

    def down(self, payload: bytes) -> bytes:
        """AI to caller."""
        return payload


class Resampled(Audio):
    """8 kHz µ-law on the caller's side, 48 kHz linear on the other."""

    def __init__(self) -> None:
        self._up = Resampler(8_000, AI_HZ)
        self._down = Resampler(AI_HZ, 8_000)

    def up(self, payload: bytes) -> bytes:
        """Caller to AI."""
        return to_bytes(self._up.push(decode_ulaw(payload)))

    def down(self, payload: bytes) -> bytes:
        """AI to caller."""
        return encode_ulaw(self._down.push(from_bytes(payload)))


class AiSide(picows.WSListener):
    """The socket to the AI."""

    def __init__(self, caller: "CallerSide") -> None:
        super().__init__()
        self._caller = caller

    def on_ws_frame(self, _transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Audio and the clear go on to the caller."""
        if frame.msg_type == _BINARY:
            self._caller.play(frame.get_payload_as_bytes())
        elif frame.msg_type == _TEXT and b"playback_clear_buffer" in frame.get_payload_as_bytes():
            self._caller.clear()


class CallerSide(picows.WSListener):
    """The carrier's socket."""

    def __init__(self, ai_url: str, audio: Audio) -> None:
        super().__init__()
        self._ai_url = ai_url
        self._audio = audio
        self._ai: picows.WSTransport | None = None
        self._joining: asyncio.Task[None] | None = None
        self._prefix = self._clear = b""

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """The carrier is there."""
        self._transport = transport

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Audio goes on to the AI."""
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()
        elif frame.msg_type == _TEXT:
            data = frame.get_payload_as_bytes()
            key = data.find(b'"payload":"')
            if key >= 0 and self._ai is not None:
                begin = key + 11
                payload = binascii.a2b_base64(data[begin : data.index(b'"', begin)])
                self._ai.send(_BINARY, self._audio.up(payload))
            elif b'"event": "start"' in data:
                self._start(data)

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """The call is over."""
        if self._ai is not None:
            self._ai.disconnect()

    def play(self, audio: bytes) -> None:
        """Send audio to the caller."""
        payload = binascii.b2a_base64(self._audio.down(audio), newline=False)
        self._transport.send(_TEXT, self._prefix + payload + b'"}}')

    def clear(self) -> None:
        """Have the carrier drop what it has not played."""
        self._transport.send(_TEXT, self._clear)

    def _start(self, data: bytes) -> None:
        stream = data.partition(b'"streamSid": "')[2].partition(b'"')[0]
        self._prefix = b'{"event":"media","streamSid":"' + stream + b'","media":{"payload":"'
        self._clear = b'{"event":"clear","streamSid":"' + stream + b'"}'
        self._joining = asyncio.create_task(self._join())

    async def _join(self) -> None:
        self._ai, _ = await picows.ws_connect(lambda: AiSide(self), self._ai_url)


async def run(ai_port: int, *, codecs: bool) -> None:
    ai_url = f"ws://{HOST}:{ai_port}/calls/bare/server_web_socket"
    server = await picows.ws_create_server(
        lambda _request: CallerSide(ai_url, Resampled() if codecs else Audio()), HOST, 0
    )
    obey(count_tasks)
    gc.freeze()
    say(port=server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("ai_port", type=int)
    parser.add_argument("--codecs", action="store_true")
    options = parser.parse_args()
    uvloop.run(run(options.ai_port, codecs=options.codecs))
