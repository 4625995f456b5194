"""One outgoing phone call: asked for at a call API, and watched until it is over.

Source: the vendor's outgoing telephony media (``medium.{carrier}.outgoing``, reference 7.9): the API's own account at
the carrier places the call.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import SecretStr

from bridge.client import ApiError, CallApi, JsonDict
from bridge.errors import UsageError
from bridge.legs.picows_socket import connect
from bridge.log import printable
from bridge.loops import new_event_loop

CARRIERS: Final = ("twilio", "telnyx", "plivo")
POLL_S: Final = 1.0
HTTP_TIMEOUT_S: Final = 30.0
LONGEST_S: Final = 4 * 3600.0
LONGEST_WHY: Final = 200
"""Characters of another's sentence that are repeated."""


@dataclass(frozen=True, slots=True)
class DialPlan:
    """Whom to call, through whom, and who speaks."""

    carrier: str
    to: str
    from_: str
    api_url: str
    api_key: SecretStr | None = None
    agent: str | None = None
    model: str | None = None
    system_prompt: str | None = None
    ring_s: float = 90.0
    """The call is given up when nobody has answered after so long."""
    max_duration_s: float | None = None
    wait: bool = True
    """Whether to stay until the call is over."""

    def check(self) -> None:
        """Raises: UsageError."""
        if self.carrier not in CARRIERS:
            raise UsageError(f"calls go out through {', '.join(CARRIERS)}, not {self.carrier!r}")
        if self.agent is not None and (self.model or self.system_prompt):
            raise UsageError("a stored agent brings its own model and prompt: leave those out")

    @property
    def body(self) -> JsonDict:
        """The request that makes the call."""
        asked: JsonDict = {
            "medium": {self.carrier: {"outgoing": {"to": self.to, "from": self.from_}}},
            "joinTimeout": f"{self.ring_s:g}s",
        }
        for key, value in (("model", self.model), ("systemPrompt", self.system_prompt)):
            if value is not None:
                asked[key] = value
        if self.max_duration_s is not None:
            asked["maxDuration"] = f"{self.max_duration_s:g}s"
        return asked


OnState = Callable[[str], None]
"""Told each state of the call as it comes: ``dialling``, ``answered``, ``ended: hangup``, ``ended: unjoined (why)``."""


def dial(plan: DialPlan, on_state: OnState) -> JsonDict:
    """Make the call; returns the Call object, as it was at the end if the plan waits for it.

    Raises: UsageError, ApiError.
    """
    plan.check()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_dial(plan, on_state))


async def _dial(plan: DialPlan, on_state: OnState) -> JsonDict:
    headers = {} if plan.api_key is None else {"X-API-Key": plan.api_key.get_secret_value()}
    async with httpx.AsyncClient(
        base_url=plan.api_url, headers=headers, timeout=HTTP_TIMEOUT_S
    ) as http:
        return await follow(CallApi(http, connect), plan, on_state)


async def follow(api: CallApi, plan: DialPlan, on_state: OnState) -> JsonDict:
    """Make the call through this API and stay as long as the plan says. Raises: ApiError."""
    call = await api.create(plan.body, agent=plan.agent, joinable=False)
    state = ""
    given_up_s = asyncio.get_running_loop().time() + LONGEST_S
    while True:
        state, before = await _state(api, call), state
        if state != before:
            on_state(state)
        if call.get("ended") is not None or not plan.wait:
            return call
        if asyncio.get_running_loop().time() > given_up_s:
            raise ApiError(f"the call has not ended within {LONGEST_S / 3600:g} hours")
        await asyncio.sleep(POLL_S)
        call = await api.call(str(call["callId"]))


async def _state(api: CallApi, call: JsonDict) -> str:
    if call.get("ended") is None:
        return "dialling" if call.get("joined") is None else "answered"
    why = await _why(api, call) if call.get("endReason") == "unjoined" else ""
    return f"ended: {call.get('endReason')}" + (f" ({why})" if why else "")


async def _why(api: CallApi, call: JsonDict) -> str:
    """What the call's last event says went wrong; empty where the API tells nothing of the kind."""
    try:
        events = await api.events(str(call["callId"]))
    except ApiError:
        return ""
    bad = [each for each in events if str(each.get("severity")).lower() in ("warning", "error")]
    text = bad[-1].get("text") if bad else ""
    return printable(text)[:LONGEST_WHY].rstrip(".") if isinstance(text, str) else ""
