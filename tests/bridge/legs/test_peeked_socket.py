"""A socket whose first message is looked at."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bridge.legs.media_socket import SocketLimits
from bridge.legs.memory_socket import memory_pair
from bridge.legs.peeked_socket import PeekedSocket

Virtual = Callable[[Coroutine[Any, Any, None]], None]


class Receiver:
    def __init__(self) -> None:
        self.got: list[object] = []

    def on_text(self, text: str) -> None:
        self.got.append(text)

    def on_bytes(self, data: bytes) -> None:
        self.got.append(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.got.append((code, ours))


def test_everything_comes_in_order_the_first_message_included(virtual: Virtual) -> None:
    async def talk() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        peeked, receiver = PeekedSocket(client), Receiver()
        server.send_text("first")
        server.send_bytes(b"second")
        assert await peeked.first_text(1) == "first"
        peeked.start(receiver)
        assert receiver.got == []  # never from within start
        server.send_text("third")
        await asyncio.sleep(0.1)
        server.close(1000)
        await asyncio.sleep(0.1)

        assert receiver.got == ["first", b"second", "third", (1000, False)]

    virtual(talk())


def test_what_is_sent_and_closed_through_it_reaches_the_peer(virtual: Virtual) -> None:
    async def talk() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        peeked, ours, theirs = PeekedSocket(client), Receiver(), Receiver()
        server.start(theirs)
        peeked.start(ours)
        peeked.send_text("text")
        peeked.send_bytes(b"bytes")
        assert peeked.buffered_bytes == client.buffered_bytes
        assert peeked.peer == "memory server"
        await asyncio.sleep(0.1)
        peeked.close(1011, "why")
        await asyncio.sleep(0.1)

        assert theirs.got == ["text", b"bytes", (1011, False)]
        assert ours.got == [(1011, True)]

    virtual(talk())


def test_there_is_no_first_text_in_audio_an_end_or_silence(virtual: Virtual) -> None:
    async def talk() -> None:
        for act in ("audio", "end", "silence"):
            client, server = memory_pair(asyncio.get_running_loop())
            peeked = PeekedSocket(client)
            if act == "audio":
                server.send_bytes(b"\0\0")
                server.send_text("second")
            elif act == "end":
                server.close(1000)
            assert await peeked.first_text(1) is None

    virtual(talk())


def test_who_sends_too_much_before_the_start_is_closed(virtual: Virtual) -> None:
    async def talk() -> None:
        client, server = memory_pair(asyncio.get_running_loop())
        peeked, theirs, receiver = (
            PeekedSocket(client, SocketLimits(max_kept_messages=2)),
            Receiver(),
            Receiver(),
        )
        server.start(theirs)
        for _ in range(3):
            server.send_text("x")
        await asyncio.sleep(0.1)
        assert theirs.got == [(1008, False)]
        peeked.start(receiver)
        await asyncio.sleep(0.1)

        assert receiver.got == [(1008, True)]

    virtual(talk())
