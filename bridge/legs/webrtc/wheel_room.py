"""A stay in a room by LiveKit's own library (the ``livekit`` wheel): for rooms of real LiveKit servers.

It costs three times the processor time of our own client (0.065 and 0.024 core a call, five calls), and threads that
last as long as the process. It can what ours cannot: resume, TURN over TCP and TLS, a receiver that adapts, redundancy;
and it is what those servers are tested with (reference webrtc 3). It reconnects by itself until it gives up.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final, cast

import numpy as np
from livekit import rtc

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused
from bridge.legs.webrtc.room import Access, RoomUser
from bridge.log import whereabouts
from bridge.wire.livekit.events import LeaveReason

log = logging.getLogger(__name__)
# The library logs where it connects to.
logging.getLogger("livekit").setLevel(logging.CRITICAL)

FRAME_S: Final = 0.02
BEHIND_S: Final = 0.2
"""A microphone that is so late does not catch up."""
QUEUE_MS: Final = 100
MAX_WAITING: Final = 1_000
"""Data messages that may wait to be sent."""
LEAVE_S: Final = 0.8
NAME: Final = "microphone"
COME_BACK: Final = frozenset(
    {"unknown_reason", "signal_close", "connection_timeout", "state_mismatch", "media_failure"}
    | {"migration", "join_failure"}
)
"""Ends that another stay may mend."""


class WheelRoom:
    """See Room.

    Args:
        access: where the room is.
        user: the leg.
        say: the microphone, at its own rate.
        ear_hz: of what the user hears, Hz.
    """

    def __init__(self, access: Access, user: RoomUser, say: Lane, *, ear_hz: int) -> None:
        self._access = access
        self._user = user
        self._say = say
        self._ear_hz = ear_hz
        self._loop = asyncio.get_running_loop()
        self.heard_s = self._loop.time()
        self._room = rtc.Room()
        self._source: Any = None
        self._waiting: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: asyncio.Task[None] | None = None
        self._room.on("track_subscribed", self._subscribed)
        self._room.on("data_received", self._data)
        self._room.on("disconnected", self._disconnected)

    async def join(self) -> None:
        """See Room."""
        try:
            await self._room.connect(self._access.room_url, self._access.token)
            self._source = rtc.AudioSource(self._say.rate_hz, 1, queue_size_ms=QUEUE_MS)
            track = rtc.LocalAudioTrack.create_audio_track(NAME, self._source)
            options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE, dtx=False)
            await self._room.local_participant.publish_track(track, options)
        except Exception as exc:  # noqa: BLE001 - a foreign library's; its own words may hold the URL and the token
            log.debug("a room was not joined: %s", whereabouts(exc))
            raise JoinRefused("the agent's room did not take us in") from None
        self._start(self._speak(), "microphone")
        self._start(self._send_messages(), "messages")

    def send(self, payload: bytes) -> None:
        """See Room."""
        if self._leaving is not None:
            return
        try:
            self._waiting.put_nowait(payload)
        except asyncio.QueueFull:
            sentence = f"over {MAX_WAITING} messages wait for the room; one is lost"
            self._user.warn(self, "message_not_sent", sentence)

    def stop(self) -> None:
        """See Room."""
        if self._leaving is None:
            self._leaving = self._loop.create_task(self._leave(), name="room leaving")

    async def closed(self) -> None:
        """See Room."""
        if self._leaving is not None:
            await asyncio.shield(self._leaving)

    # What the room says

    def _subscribed(self, track: Any, _publication: Any, _participant: Any) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO and self._leaving is None:
            self._start(self._listen(track), "ear")

    def _data(self, packet: Any) -> None:
        self.heard_s = self._loop.time()
        self._user.take(self, bytes(packet.data))

    def _disconnected(self, number: Any) -> None:
        if self._leaving is not None:
            return
        known = rtc.DisconnectReason.values()
        reason = rtc.DisconnectReason.Name(number).lower() if number in known else "unknown_reason"
        if reason in COME_BACK:
            self._user.lost(self, f"the room's connection ended: {reason}")
        else:
            self._user.sent_away(self, cast("LeaveReason", reason))

    # Its tasks

    async def _listen(self, track: Any) -> None:
        stream = rtc.AudioStream(track, sample_rate=self._ear_hz, num_channels=1)
        try:
            async for event in stream:
                self.heard_s = self._loop.time()
                self._user.hear(self, np.frombuffer(event.frame.data, np.int16))
        finally:
            await stream.aclose()

    async def _speak(self) -> None:
        n = round(self._say.rate_hz * FRAME_S)
        due = self._loop.time()
        while True:
            samples = self._say.pull_padded(n)
            frame = rtc.AudioFrame(samples.tobytes(), self._say.rate_hz, 1, n)
            await self._source.capture_frame(frame)
            now = self._loop.time()
            due = now if now - due > BEHIND_S else due + FRAME_S
            await asyncio.sleep(max(0.0, due - now))

    async def _send_messages(self) -> None:
        while True:
            payload = await self._waiting.get()
            await self._room.local_participant.publish_data(payload)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = self._loop.create_task(work, name=f"room {name}")
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if task.cancelled() or self._leaving is not None:
            return
        if (exc := task.exception()) is not None:
            log.warning("! a room's task failed: %s", whereabouts(exc))
            self._user.lost(self, "the room's connection failed")

    async def _leave(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVE_S)
        try:
            async with asyncio.timeout(LEAVE_S):
                await self._room.disconnect()
                if self._source is not None:
                    await self._source.aclose()
        except Exception as exc:  # noqa: BLE001 - a library that fails at the end has ended
            log.debug("a room was not left in order: %s", whereabouts(exc))
