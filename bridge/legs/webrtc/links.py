"""The connections that one client has had: the one that counts, and those that are over and are given back."""

import asyncio
from typing import Final

from bridge.legs.webrtc.figures import RtcFigures
from bridge.legs.webrtc.link import Link, Parting

CLOSING_S: Final = 1.0
"""How long connections may take to give everything back."""


class Links:
    """Those of one call.

    Attributes:
        current: the one that counts; None before there is one.
        rejoins: how often another link took the place of one.
        joined_s: when the client first came, loop time; None before.
    """

    def __init__(self) -> None:
        self.current: Link | None = None
        self.rejoins = 0
        self.joined_s: float | None = None
        self._loop = asyncio.get_running_loop()
        self._closing: set[asyncio.Task[None]] = set()
        self._past = RtcFigures()
        """Of the links that are over."""

    @property
    def figures(self) -> RtcFigures:
        """What all of them have counted."""
        current = self.current
        figures = self._past.with_link(None if current is None else current.figures)
        figures.rejoins = self.rejoins
        return figures

    def put(self, link: Link) -> None:
        """The client has a new connection: it takes the place of the one before."""
        if self.current is not None:
            self.rejoins += 1
            self.drop("replaced")
        if self.joined_s is None:
            self.joined_s = self._loop.time()
        self.current = link

    def drop(self, parting: Parting) -> None:
        """The one that counts is over."""
        link, self.current = self.current, None
        if link is not None:
            self._past.add(link.figures)
            self.stop(link, parting)

    def stop(self, link: Link, parting: Parting) -> None:
        """Send a client's connection away, and see that all of it is given back."""
        link.stop(parting)
        task = self._loop.create_task(link.closed(), name="webrtc link closing")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def closed(self) -> None:
        """Return when all that were stopped have given everything back, or have had their time."""
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=CLOSING_S)
