"""Messages of one round of the loop: in order, at its end, none left behind."""

import asyncio
from typing import cast

from picows import WSMsgType, WSTransport

from bridge.legs.outbox import Outbox, outbox_of

TEXT = WSMsgType.TEXT


class Wire:
    """Notes what is sent on any of its transports."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def transport(self, name: str) -> WSTransport:
        class Transport:
            def send(_self, _kind: WSMsgType, message: str) -> None:  # noqa: N805
                self.sent.append((name, message))

        return cast("WSTransport", Transport())


def put(box: Outbox, transport: WSTransport, message: str) -> None:
    if not box.messages:
        box.begin()
    box.messages.append((transport, TEXT, message))


async def test_messages_go_out_at_the_end_of_the_round_in_the_order_in_which_they_came() -> None:
    wire, box = Wire(), Outbox()
    one, two = wire.transport("one"), wire.transport("two")

    put(box, one, "a")
    put(box, two, "b")
    put(box, one, "c")
    assert wire.sent == []
    await asyncio.sleep(0)

    assert wire.sent == [("one", "a"), ("two", "b"), ("one", "c")]


async def test_what_was_sent_early_is_not_sent_again() -> None:
    wire, box = Wire(), Outbox()

    put(box, wire.transport("one"), "a")
    box.empty()
    await asyncio.sleep(0)

    assert wire.sent == [("one", "a")]


async def test_a_loop_has_one_box() -> None:
    loop, other = asyncio.get_running_loop(), asyncio.new_event_loop()
    try:
        assert outbox_of(loop) is outbox_of(loop)
        assert outbox_of(loop) is not outbox_of(other)
    finally:
        other.close()
