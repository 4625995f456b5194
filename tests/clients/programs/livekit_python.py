"""A call with LiveKit's Python SDK: the join socket by hand, the room by the SDK; the newest signalling that it has.

Runs in an environment of its own, without anything of ours. One JSON object per line, both ways.
"""

import array
import asyncio
import contextlib
import json
import math
import sys
import time
from collections.abc import Coroutine
from typing import Any

import websockets
from livekit import rtc

RATE = 48_000
CHUNK = RATE // 100


def tell(event: str, **more: object) -> None:
    sys.stdout.write(json.dumps({"event": event, "at": time.monotonic(), **more}) + "\n")
    sys.stdout.flush()


class Call:
    def __init__(self) -> None:
        self.room = rtc.Room()
        self.on = False
        self.tasks: set[asyncio.Future[Any]] = set()
        self.track: Any = None
        self.publication: Any = None

    def keep(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def speak(self, source: Any) -> None:
        wave = [int(8_000 * math.sin(2 * math.pi * 300 * n / RATE)) for n in range(CHUNK)]
        loud, quiet = array.array("h", wave).tobytes(), bytes(2 * CHUNK)
        while True:
            data = loud if self.on else quiet
            await source.capture_frame(rtc.AudioFrame(data, RATE, 1, CHUNK))

    async def hear(self, track: Any) -> None:
        samples, heard = array.array("h"), False
        async for event in rtc.AudioStream(track, sample_rate=RATE, num_channels=1):
            frame = array.array("h", event.frame.data.tobytes())
            if not heard and any(abs(each) > 500 for each in frame):
                heard = True
                tell("first_audio")
            samples.extend(frame)
            while len(samples) >= RATE // 10:
                piece, samples = samples[: RATE // 10], samples[RATE // 10 :]
                tell("level", rms=math.sqrt(sum(each * each for each in piece) / len(piece)))

    def take(self, packet: Any) -> None:
        message = json.loads(packet.data)
        tell("message", message=message)
        if message["type"] == "client_tool_invocation":
            result = {
                "type": "client_tool_result",
                "invocationId": message["invocationId"],
                "result": "a blue door",
            }
            self.keep(self.room.local_participant.publish_data(json.dumps(result)))

    async def join(self, socket: Any) -> None:
        info = json.loads(await socket.recv())
        tell("room_info", keys=sorted(info))
        room = self.room
        room.on("track_subscribed", lambda track, *_: self.keep(self.hear(track)))
        room.on("data_received", self.take)
        for name in ("reconnecting", "reconnected", "disconnected"):
            room.on(name, lambda *_, name=name: tell(name))
        await room.connect(info["roomUrl"], info["token"])
        tell("connected")
        source = rtc.AudioSource(RATE, 1)
        track = rtc.LocalAudioTrack.create_audio_track("input", source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        self.publication = await room.local_participant.publish_track(track, options)
        self.track = track
        tell("published")
        self.keep(self.speak(source))

    async def watch(self, socket: Any) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in socket:
                tell("join_socket", text=text)
        tell("join_socket_closed", code=socket.close_code)

    async def do(self, socket: Any, command: dict[str, Any]) -> None:
        match command["do"]:
            case "send":
                text = json.dumps(command["message"])
                await self.room.local_participant.publish_data(text)
            case "raw":
                await self.room.local_participant.publish_data(bytes.fromhex(command["hex"]))
            case "speak":
                self.on = command["on"]
            case "mute_mic":
                self.track.mute() if command["on"] else self.track.unmute()
            case "republish":
                await self.room.local_participant.unpublish_track(self.publication.sid)
                source = rtc.AudioSource(RATE, 1)
                track = rtc.LocalAudioTrack.create_audio_track("again", source)
                options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
                self.publication = await self.room.local_participant.publish_track(track, options)
                self.keep(self.speak(source))
                tell("republished")
            case "leave":
                await socket.close()
                await self.room.disconnect()
                tell("left")


async def main(join_url: str) -> None:
    call = Call()
    tell("joining")
    async with websockets.connect(f"{join_url}?clientVersion=livekit_1.2&apiVersion=1") as socket:
        await call.join(socket)
        call.keep(call.watch(socket))
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await call.do(socket, json.loads(line))


asyncio.run(main(sys.argv[1]))
