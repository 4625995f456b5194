"""A peer's candidates as they trickle in: bounded, kept until there is a description to add them to, never waited for.

Sources: reference webrtc 2.4 (mDNS names take a second each), reliability 5.
"""

import asyncio
import json
from typing import Any, Final

from aiortc import RTCPeerConnection
from aiortc.sdp import candidate_from_sdp

from bridge.legs.webrtc import sdp_text

MAX_CANDIDATE_CHARS: Final = 1_024


class Trickle:
    """The candidates of one connection.

    Args:
        connection: whose they are.
        name: for task names.
    """

    def __init__(self, connection: RTCPeerConnection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._kept: list[dict[str, Any]] = []
        self._n_taken = 0
        self._described = False
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, init: str | dict[str, Any]) -> None:
        """One came, as JSON or as an object; never waits, and one of no use is passed over."""
        candidate = _parsed(init)
        if candidate is None or self._n_taken >= sdp_text.MAX_CANDIDATES:
            return
        self._n_taken += 1
        if self._described:
            self._start(candidate)
        else:
            self._kept.append(candidate)

    def described(self) -> None:
        """There is a description; may be said again."""
        self._described = True
        kept, self._kept = self._kept, []
        for candidate in kept:
            self._start(candidate)

    def stop(self) -> None:
        """The connection is closing."""
        for task in tuple(self._tasks):
            task.cancel()

    def _start(self, candidate: dict[str, Any]) -> None:
        task = self._loop.create_task(self._add(candidate), name=f"{self._name}: candidate")
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def _add(self, candidate: dict[str, Any]) -> None:
        found = candidate_from_sdp(candidate["candidate"].removeprefix("candidate:"))
        found.sdpMid = candidate.get("sdpMid")
        found.sdpMLineIndex = candidate.get("sdpMLineIndex")
        await self._connection.addIceCandidate(found)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # a candidate that cannot be added is passed over


def _parsed(init: str | dict[str, Any]) -> dict[str, Any] | None:
    """A candidate that can be added."""
    if isinstance(init, str):
        if len(init) > MAX_CANDIDATE_CHARS:
            return None
        try:
            init = json.loads(init)
        except (ValueError, RecursionError):  # the latter for brackets without end
            return None
    if not isinstance(init, dict):
        return None
    text, mid, index = (init.get(key) for key in ("candidate", "sdpMid", "sdpMLineIndex"))
    if not isinstance(text, str) or len(text) > MAX_CANDIDATE_CHARS or not sdp_text.is_usable(text):
        return None
    known_mid, known_index = isinstance(mid, str), isinstance(index, int)
    if not (known_mid or known_index):
        return None
    return {
        "candidate": text,
        "sdpMid": mid if known_mid else None,
        "sdpMLineIndex": index if known_index else None,
    }
