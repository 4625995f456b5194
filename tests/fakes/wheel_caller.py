"""A program that is a caller by LiveKit's own library: its threads last as long as the process, so it has one.

Takes a join URL, says a second of tone, asks for a pong, and prints what came of it as JSON.
"""

import asyncio
import json
import sys

import numpy as np

from bridge.legs.webrtc.room_leg import RoomLeg
from bridge.wire.messages import Ping, Pong
from tests.fakes.room_caller import RATE_HZ, audible, room_caller


async def main(join_url: str) -> None:
    async with room_caller(join_url, client="livekit") as caller:
        assert isinstance(caller.leg, RoomLeg)
        client = type(caller.leg._stays.current).__name__
        await caller.until(lambda: caller.states[-1:] == ["listening"])
        tone = np.sin(2 * np.pi * 300 * np.arange(RATE_HZ) / RATE_HZ)
        await caller.speak((8_000 * tone).astype(np.int16))
        await caller.speak(np.zeros(RATE_HZ // 2, np.int16))
        caller.say(Ping(timestamp=1.5))
        await caller.until(lambda: caller.of(Pong) and caller.downlink.depth_ms > 1_000)
        told = {"client": client, "heard_s": audible(caller.heard()) / RATE_HZ}
        sys.stdout.write(json.dumps(told | {"warnings": caller.warnings}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
