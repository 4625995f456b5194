"""The load generator: emulated Twilio callers, each on a media socket of its own.

    python -m benchmarks.calls_per_core_parts.callers '{"socket_url": "ws://127.0.0.1:8765/ws"}'

An open loop: each caller's frame of 20 ms goes out at its own absolute instant, whatever comes back. Marks are echoed
when the caller's play-out clock has reached them, all at once after a clear. What is heard is kept as it came, and
looked into after the calls. Orders: ``up`` (n calls, one after another, each waits for the first audio of the one
before), ``down``, ``report`` (a window of time). How a call is set up, with or without a webhook, says the argument:
see `placing.py`.
"""

import asyncio
import gc
import json
import sys
import time
from array import array
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import picows
import uvloop

from benchmarks.calls_per_core_parts.bursts import FRAME_S, RATE_HZ, Speech
from benchmarks.calls_per_core_parts.placing import Placing, placing_from
from benchmarks.calls_per_core_parts.report import Call, Window, report
from benchmarks.calls_per_core_parts.steering import Order, obey, say

TICK_S: Final = 0.001
TICKS: Final = round(FRAME_S / TICK_S)
FIRST_AUDIO_S: Final = 15.0
_TEXT = picows.WSMsgType.TEXT
_ACCOUNT = f"AC{0:032x}"


class Caller(picows.WSListener):
    """One phone call as the carrier sees it."""

    def __init__(self, index: int, call_sid: str, speech: Speech) -> None:
        super().__init__()
        self.index = index
        self.call_sid = call_sid
        self.stream_sid = f"MZ{index:032x}"
        self.sent_s = array("d")
        self.messages: list[tuple[float, bytes]] = []
        self.clears_s: list[float] = []
        self.first_audio = asyncio.get_running_loop().create_future()
        self.over = asyncio.get_running_loop().create_future()
        self._speech = speech
        self._marks: deque[tuple[str, asyncio.TimerHandle]] = deque()
        self._plays_until_s = 0.0
        self._n_said = 0

    def on_ws_connected(self, transport: picows.WSTransport) -> None:
        """Say what the carrier says first."""
        self._transport = transport
        self._say({"event": "connected", "protocol": "Call", "version": "1.0.0"})
        start = {
            "accountSid": _ACCOUNT,
            "streamSid": self.stream_sid,
            "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        self._event("start", start=start)

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Audio is kept; marks and clears are obeyed."""
        now_s = time.perf_counter()
        if frame.msg_type == _TEXT:
            data = frame.get_payload_as_bytes()
            key = data.find(b'"payload"')
            if key >= 0:
                begin = data.index(b'"', key + 9) + 1
                self._hear(now_s, data[begin : data.index(b'"', begin)])
            else:
                self._command(now_s, json.loads(data))
        elif frame.msg_type == picows.WSMsgType.CLOSE:
            transport.send_close(picows.WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, _transport: picows.WSTransport) -> None:
        """The call is over."""
        for future in (self.first_audio, self.over):
            if not future.done():
                future.set_result(None)

    def speak(self) -> None:
        """Say the next frame."""
        n = len(self.sent_s)
        message = (
            f'{{"event":"media","sequenceNumber":"{n + 2}","media":{{"track":"inbound","chunk":"{n + 1}",'
            f'"timestamp":"{20 * n}","payload":"{self._speech.frame(self.index, n)}"}},'
            f'"streamSid":"{self.stream_sid}"}}'
        )
        self.sent_s.append(time.perf_counter())
        self._transport.send(_TEXT, message)

    def hang_up(self) -> None:
        """As the carrier does it."""
        self._event("stop", stop={"accountSid": _ACCOUNT, "callSid": self.call_sid})
        self._transport.send_close(picows.WSCloseCode.OK)

    def _hear(self, now_s: float, payload: bytes) -> None:
        self.messages.append((now_s, payload))
        n_samples = len(payload) * 3 // 4 - payload.count(b"=", -2)
        self._plays_until_s = max(self._plays_until_s, now_s) + n_samples / RATE_HZ
        if not self.first_audio.done():
            self.first_audio.set_result(None)

    def _command(self, now_s: float, message: Mapping[str, Any]) -> None:
        if message["event"] == "clear":
            self.clears_s.append(now_s)
            self._plays_until_s = 0.0
            while self._marks:
                name, timer = self._marks[0]
                timer.cancel()
                self._echo(name)
        elif message["event"] == "mark":
            name = message["mark"]["name"]
            wait_s = max(0.0, self._plays_until_s - now_s)
            timer = asyncio.get_running_loop().call_later(wait_s, self._echo, name)
            self._marks.append((name, timer))

    def _echo(self, name: str) -> None:
        self._marks.popleft()
        self._event("mark", mark={"name": name})

    def _event(self, event: str, **more: object) -> None:
        number = str(len(self.sent_s) + 2)
        self._say({"event": event, "sequenceNumber": number, "streamSid": self.stream_sid, **more})

    def _say(self, message: Mapping[str, object]) -> None:
        self._transport.send(_TEXT, json.dumps(message))


class Callers:
    """All callers, and the wheel that makes each of them speak at its instants."""

    def __init__(self, placing: Placing) -> None:
        self._placing = placing
        self._speech = Speech()
        self._calls: list[Caller] = []
        self._slots: list[list[Caller]] = [[] for _ in range(TICKS)]
        self._n_placed = 0
        self._wheel: asyncio.Task[None] | None = None

    async def obey(self, order: Order) -> Mapping[str, Any]:
        """Carry out an order."""
        if order["do"] == "up":
            return await self._up(order["n"])
        if order["do"] == "down":
            return await self._down()
        calls = [Call(call.sent_s, call.messages, call.clears_s) for call in self._calls]
        window = Window(order["from_s"], order["to_s"], order["clears"])
        return report(self._speech, calls, window)

    async def _up(self, n: int) -> Mapping[str, Any]:
        if self._wheel is None:
            self._wheel = asyncio.create_task(self._turn(), name="wheel")
        self._calls = []
        setups_ms = []
        for index in range(n):
            self._n_placed += 1
            call_sid = f"CA{self._n_placed:032x}"
            began_s = time.perf_counter()
            url, headers = await self._placing.stream(call_sid)
            caller = Caller(index, call_sid, self._speech)
            await picows.ws_connect(lambda caller=caller: caller, url, extra_headers=headers)
            self._calls.append(caller)
            # 7 has no divisor in common with the number of slots: neighbours lie far apart.
            self._slots[7 * index % TICKS].append(caller)
            async with asyncio.timeout(FIRST_AUDIO_S):
                await caller.first_audio
            setups_ms.append(1000 * (time.perf_counter() - began_s))
        return {"setups_ms": setups_ms, "lost": sum(call.over.done() for call in self._calls)}

    async def _down(self) -> Mapping[str, Any]:
        lost = sum(call.over.done() for call in self._calls)
        for slot in self._slots:
            slot.clear()
        for call in self._calls:
            call.hang_up()
        _done, left = await asyncio.wait([call.over for call in self._calls], timeout=5)
        return {"lost": lost, "not_closed": len(left)}

    async def _turn(self) -> None:
        started_s = time.perf_counter()
        tick = 0
        while True:
            tick += 1
            await asyncio.sleep(started_s + tick * TICK_S - time.perf_counter())
            for caller in self._slots[tick % TICKS]:
                if not caller.over.done():
                    caller.speak()


async def run(placing: Placing) -> None:
    callers = Callers(placing)
    obey(callers.obey)
    gc.collect()
    gc.disable()  # its pauses would be taken for the gateway's
    say(ready=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(run(placing_from(json.loads(sys.argv[1]))))
