"""What the API tells of a call that is over: the call itself, its messages, its events."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Final, Self

from bridge.client import CallApi, JsonDict

ENDED_WITHIN_S: Final = 5.0
"""How long the API may take to record the end of a call whose socket is closed."""
POLL_S: Final = 0.05
_WORD: Final = re.compile(r"\w{1,64}", re.ASCII)
_SETTINGS: Final = (
    *("model", "systemPrompt", "medium", "vadSettings"),
    *("firstSpeakerSettings", "maxDuration"),
)


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What is recorded of one call; nothing where nobody was asked."""

    call: JsonDict = field(default_factory=dict)
    messages: list[JsonDict] = field(default_factory=list)
    events: list[JsonDict] = field(default_factory=list)

    @classmethod
    async def of(cls, api: CallApi, call_id: str) -> Self:
        """Ask, once the call's end is recorded or that took too long. Raises: ApiError."""
        call = await _ended(api, call_id)
        return cls(call, await api.messages(call_id), await api.events(call_id))

    @property
    def end_reason(self) -> str | None:
        """What the API calls the end, if that is a word."""
        told = self.call.get("endReason")
        return told if isinstance(told, str) and _WORD.fullmatch(told) else None

    @property
    def settings(self) -> JsonDict:
        """What the call was made with: of the Call object what is no secret and no instant."""
        return {key: self.call[key] for key in _SETTINGS if self.call.get(key) is not None}


async def _ended(api: CallApi, call_id: str) -> JsonDict:
    """The Call object, once its end is recorded or that took too long."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + ENDED_WITHIN_S
    while True:
        call = await api.call(call_id)
        if call.get("ended") is not None or loop.time() >= deadline:
            return call
        await asyncio.sleep(POLL_S)
