"""A stay by LiveKit's own library, on a library that a test plays; the real one joins a call in tests/calls."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused
from bridge.legs.webrtc.room import Access

wheel_room = pytest.importorskip("bridge.legs.webrtc.wheel_room")

RATE_HZ = 16_000


class Library:
    """Stands for `livekit.rtc`: one room, one microphone."""

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[..., None]] = {}
        self.captured: list[bytes] = []
        self.published: list[bytes] = []
        self.connected: tuple[str, str] | None = None
        self.disconnects = 0
        self.fails = ""
        self.streams: list[asyncio.Queue[Any]] = []
        self.local_participant = SimpleNamespace(
            publish_track=self._track, publish_data=self._publish
        )
        real = wheel_room.rtc
        self.DisconnectReason = real.DisconnectReason
        self.TrackKind = real.TrackKind
        self.TrackSource = real.TrackSource
        self.TrackPublishOptions = real.TrackPublishOptions
        self.LocalAudioTrack = SimpleNamespace(create_audio_track=lambda *_: "track")

    def Room(self) -> "Library":  # noqa: N802
        return self

    def AudioSource(self, *_: object, **__: object) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(capture_frame=self._capture, aclose=self._nothing)

    def AudioFrame(self, data: bytes, *_: object) -> bytes:  # noqa: N802
        return data

    def AudioStream(self, *_: object, **__: object) -> "Stream":  # noqa: N802
        self.streams.append(asyncio.Queue())
        return Stream(self.streams[-1])

    def on(self, event: str, callback: Callable[..., None]) -> None:
        self.callbacks[event] = callback

    async def connect(self, url: str, token: str) -> None:
        if self.fails == "connect":
            raise RuntimeError(f"cannot open {url}?access_token={token}")
        if self.fails == "hang":
            await asyncio.sleep(3_600)
        self.connected = (url, token)

    async def disconnect(self) -> None:
        self.disconnects += 1
        if self.fails == "disconnect":
            raise RuntimeError("no")

    async def _track(self, *_: object) -> None:
        if self.fails == "track":
            raise RuntimeError("no")

    async def _publish(self, payload: bytes) -> None:
        if self.fails == "publish":
            raise RuntimeError("no")
        self.published.append(payload)

    async def _capture(self, frame: bytes) -> None:
        self.captured.append(frame)

    async def _nothing(self) -> None:
        """Closed."""


class Stream:
    def __init__(self, frames: "asyncio.Queue[Any]") -> None:
        self._frames = frames

    async def __aiter__(self) -> AsyncIterator[Any]:
        while True:
            yield SimpleNamespace(frame=SimpleNamespace(data=await self._frames.get()))

    async def aclose(self) -> None:
        """Closed."""


class User:
    def __init__(self) -> None:
        self.told: list[tuple[str, object]] = []

    def hear(self, room: object, samples: Any) -> None:
        self.told.append(("heard", samples.tolist()))

    def take(self, room: object, payload: bytes) -> None:
        self.told.append(("message", payload))

    def lost(self, room: object, why: str) -> None:
        self.told.append(("lost", why))

    def sent_away(self, room: object, reason: str) -> None:
        self.told.append(("sent away", reason))

    def warn(self, room: object, type_: str, sentence: str) -> None:
        self.told.append((type_, sentence))


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setattr(wheel_room, "rtc", made)
    return made


def stay(user: User) -> tuple[Any, Lane]:
    say = Lane(RATE_HZ, 240, "drop_oldest")
    access = Access("ws://h/rooms/call", "a.secret.token")
    return wheel_room.WheelRoom(access, user, say, ear_hz=RATE_HZ), say


def test_voices_and_messages_pass_through(virtual: Any, library: Library) -> None:
    async def talk() -> None:
        user = User()
        room, say = stay(user)
        await room.join()
        assert library.connected == ("ws://h/rooms/call", "a.secret.token")
        say.push(np.full(320, 7, np.int16))
        room.send(b"{}")
        track = SimpleNamespace(kind=library.TrackKind.KIND_AUDIO)
        library.callbacks["track_subscribed"](track, None, None)
        await asyncio.sleep(0.01)
        library.streams[0].put_nowait(np.arange(3, dtype=np.int16).tobytes())
        library.callbacks["data_received"](SimpleNamespace(data=bytearray(b"[]")))
        await asyncio.sleep(0.99)

        assert user.told == [("message", b"[]"), ("heard", [0, 1, 2])]
        assert library.published == [b"{}"]
        assert len(library.captured) == pytest.approx(50, abs=1)
        assert library.captured[0] == np.full(320, 7, np.int16).tobytes()
        room.stop()
        room.stop()
        await room.closed()
        assert library.disconnects == 1
        room.send(b"late")

    virtual(talk())


@pytest.mark.parametrize("fails", ["connect", "track"])
def test_a_join_that_fails_repeats_none_of_the_librarys_words(
    virtual: Any, library: Library, fails: str
) -> None:
    async def talk() -> None:
        library.fails = fails
        room, _ = stay(User())
        with pytest.raises(JoinRefused) as refused:
            await room.join()
        room.stop()
        await room.closed()

        assert str(refused.value) == "the agent's room did not take us in"
        assert refused.value.__cause__ is None

    virtual(talk())


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("SIGNAL_CLOSE", ("lost", "the room's connection ended: signal_close")),
        ("ROOM_DELETED", ("sent away", "room_deleted")),
    ],
)
def test_an_end_is_one_for_good_or_one_that_may_be_mended(
    virtual: Any, library: Library, reason: str, told: tuple[str, str]
) -> None:
    async def talk() -> None:
        user = User()
        room, _ = stay(user)
        await room.join()
        library.callbacks["disconnected"](library.DisconnectReason.Value(reason))
        assert user.told == [told]
        room.stop()
        library.callbacks["disconnected"](1)
        await room.closed()

        assert user.told == [told]

    virtual(talk())


def test_an_unknown_reason_may_be_mended(virtual: Any, library: Library) -> None:
    async def talk() -> None:
        user = User()
        room, _ = stay(user)
        library.callbacks["disconnected"](999)
        room.stop()
        await room.closed()

        assert user.told == [("lost", "the room's connection ended: unknown_reason")]

    virtual(talk())


def test_a_library_that_fails_meanwhile_is_a_lost_connection(
    virtual: Any, library: Library
) -> None:
    async def talk() -> None:
        user = User()
        room, _ = stay(user)
        await room.join()
        library.fails = "publish"
        room.send(b"{}")
        await asyncio.sleep(0.1)
        library.fails = "disconnect"
        room.stop()
        await room.closed()

        assert user.told == [("lost", "the room's connection failed")]

    virtual(talk())


def test_only_so_many_messages_wait(virtual: Any, library: Library) -> None:
    async def talk() -> None:
        user = User()
        room, _ = stay(user)
        for _ in range(wheel_room.MAX_WAITING + 1):
            room.send(b"{}")
        room.stop()
        await room.closed()

        assert [type_ for type_, _ in user.told] == ["message_not_sent"]

    virtual(talk())
