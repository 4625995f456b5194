"""The connections of one client: which one counts, what all of them have counted, and that they are given back."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bridge.legs.webrtc.links import CLOSING_S, Links
from tests.fakes.rtc import FakeLink

Virtual = Callable[[Coroutine[Any, Any, None]], None]


def test_a_new_link_takes_the_place_of_the_one_before(virtual: Virtual) -> None:
    async def call() -> None:
        links = Links()
        first, second = FakeLink(), FakeLink()
        await asyncio.sleep(3)
        links.put(first)
        assert (links.current, links.rejoins, links.joined_s) == (first, 0, 3)
        await asyncio.sleep(3)
        links.put(second)
        assert (links.current, links.rejoins, links.joined_s) == (second, 1, 3)
        assert (first.partings, second.partings) == (["replaced"], [])
        links.drop("over")
        links.drop("over")
        assert links.current is None
        assert second.partings == ["over"]
        await links.closed()

    virtual(call())


def test_figures_are_those_of_all_links_that_counted(virtual: Virtual) -> None:
    async def call() -> None:
        links = Links()
        for n, transport in ((10, "v0"), (5, "whip")):
            link = FakeLink()
            link.ear.received = n
            link.transport = transport  # type: ignore[assignment]
            links.put(link)
            assert links.figures.transport == transport
        turned_away = FakeLink()
        turned_away.ear.received = 100
        links.stop(turned_away, "over")
        assert links.figures.packets_in == 15
        links.drop("over")
        assert (links.figures.packets_in, links.figures.rejoins) == (15, 1)
        await links.closed()

    virtual(call())


def test_links_are_waited_for_until_they_have_let_go_but_not_for_ever(virtual: Virtual) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        links, slow = Links(), FakeLink()
        slow.let_go.clear()
        links.stop(slow, "over")
        loop.call_later(0.3, slow.let_go.set)
        await links.closed()
        assert loop.time() == 0.3

        stuck = FakeLink()
        stuck.let_go.clear()
        links.stop(stuck, "over")
        began_s = loop.time()
        await links.closed()
        assert loop.time() - began_s == CLOSING_S
        stuck.let_go.set()
        await asyncio.sleep(0.1)

    virtual(call())
