"""The tools that only a telephone has: pressing keys towards the caller's side, and sending the caller elsewhere.

Source: the API's built-in tools ``playDtmfSounds`` and ``coldTransfer`` (reference 5.6). They come as client tool
invocations and are answered here; other client tools are somebody else's. Both happen behind what the agent has said:
tones are put into the audio after it, messages and REST requests wait until it was heard.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.errors import BridgeError
from bridge.legs.carrier.player import Player
from bridge.legs.phone_line import PhoneLine, TransfersOnClose
from bridge.log import whereabouts
from bridge.wire.answers.answer import checked_target
from bridge.wire.carriers.base import CarrierWire, Message, SendsAway
from bridge.wire.messages import ClientToolInvocation, ClientToolResult
from bridge_codecs.tones import dtmf

log = logging.getLogger(__name__)

PRESS: Final = "playDtmfSounds"
TRANSFER: Final = "coldTransfer"

MAX_RUNNING: Final = 8
MAX_TRANSFERS: Final = 3
"""Of one call that may be tried: each counts as a call that our account pays, and an agent can be talked into more."""
MAX_DIGITS: Final = 64
MAX_TARGET: Final = 256
LONGEST_S: Final = 15.0
"""Tones and spaces of one invocation together."""
FINISH_S: Final = 6.0
"""A transfer under way is waited for, at the end of the call; a carrier's API has 5 s."""

_NO_TARGET: Final = (
    "the target must be a telephone number with its country, such as +15550100; "
    "a SIP address may only be the operator's own transfer_to"
)
_DIGITS: Final = re.compile(rf"[0-9A-D*#]{{1,{MAX_DIGITS}}}")
_DURATION: Final = re.compile(r"(\d{1,3}(?:\.\d{1,9})?)s?")


class CannotDo(BridgeError):  # noqa: N818 - reads as what happened
    """A tool cannot be run as asked; the sentence says why."""


class PhoneTools:
    """Runs the telephone's tools for one call.

    Args:
        wire: makes the carrier's messages, and says what the carrier can do.
        send: sends a message to the carrier.
        line: the phone call beside its socket, if there are credentials.
        answer: takes the results.

    Attributes:
        divert: the number or address to which an agent's target leads; raises BridgeError for one that may not be.
        on_away: called when the agent has sent the caller elsewhere, and knows.
        closes: the caller is sent elsewhere by our closing of the socket; else the carrier ends the stream.
    """

    def __init__(
        self,
        wire: CarrierWire,
        send: Callable[[Message], None],
        line: PhoneLine | None,
        answer: Callable[[ClientToolResult], None],
    ) -> None:
        self.transferred = False
        """The caller is with somebody else: the phone call is not ours any more."""
        self.divert: Callable[[str], str] = str
        self.on_away: Callable[[], None] = lambda: None
        self.closes = isinstance(line, TransfersOnClose)
        self._wire = wire
        self._send = send
        self._line = line
        self._answer = answer
        self._running: set[asyncio.Task[None]] = set()
        self._transfer: asyncio.Task[None] | None = None
        self._n_transfers = 0

    def take(self, invocation: ClientToolInvocation, player: Player) -> bool:
        """Run the tool and answer; False if it is none of the telephone's."""
        if invocation.tool_name not in (PRESS, TRANSFER):
            return False
        if len(self._running) >= MAX_RUNNING:
            self._fail(invocation, "too many tools are running")
            return True
        task = asyncio.get_running_loop().create_task(
            self._run(invocation, player), name=f"phone tool {invocation.tool_name}"
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        if invocation.tool_name == TRANSFER and not self._is_leaving:
            self._transfer = task
        return True

    async def finish(self) -> None:
        """The call ends: a transfer under way is waited for, everything else stops."""
        for task in self._running:
            if task is not self._transfer:
                task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=FINISH_S)
        for task in self._running:
            task.cancel()

    async def _run(self, invocation: ClientToolInvocation, player: Player) -> None:
        work = self._press if invocation.tool_name == PRESS else self._send_away
        try:
            result = await work(invocation.parameters, player)
        except (BridgeError, ValueError) as exc:
            self._fail(invocation, str(exc))
        except Exception as exc:  # noqa: BLE001 - a tool that breaks is a result too
            log.error("! a phone tool failed: %s", whereabouts(exc))  # noqa: TRY400 - no words of it
            self._fail(invocation, "it failed inside")
        else:
            self._answer(ClientToolResult(invocation_id=invocation.invocation_id, result=result))
            if self.transferred:
                self.on_away()

    def _fail(self, invocation: ClientToolInvocation, why: str) -> None:
        self._answer(
            ClientToolResult(
                invocation_id=invocation.invocation_id,
                error_type="implementation-error",
                error_message=f"{invocation.tool_name}: {why}",
            )
        )

    # Keys

    async def _press(self, parameters: Mapping[str, object], player: Player) -> str:
        digits = _digits(parameters.get("digits"))
        tone_s = _seconds(parameters, "toneDuration", 0.2)
        space_s = _seconds(parameters, "spaceDuration", 0.1)
        if len(digits) * (tone_s + space_s) > LONGEST_S:
            raise CannotDo(f"the tones are longer than {LONGEST_S:g} s")
        by = self._wire.traits.digits_by
        if by == "message":
            await player.drain()
            for message in self._wire.digits(digits):
                self._send(message)
        elif by == "rest" and self._line is not None:
            await player.drain()
            await self._line.send_digits(digits)
        else:
            _play_tones(player.lane, digits, tone_s, space_s)
        return "OK"

    # Sending the caller elsewhere

    async def send_away(self, target: str) -> None:
        """Connect the caller to somebody else, at once.

        Raises: CannotDo, CarrierApiError; UsageError for a target that cannot be one.
        """
        self._check_transfers()
        if isinstance(self._wire, SendsAway):
            for message in self._wire.transfer(checked_target(target)):
                self._send(message)
        elif self._line is not None:
            await self._line.transfer(target)
        self.transferred = True

    @property
    def _is_leaving(self) -> bool:
        return self._transfer is not None and not self._transfer.done()

    async def _send_away(self, parameters: Mapping[str, object], player: Player) -> str:
        target = parameters.get("target")
        if not (isinstance(target, str) and 0 < len(target) <= MAX_TARGET and target.isprintable()):
            raise CannotDo(_NO_TARGET)
        self._check_transfers()
        if self.transferred or self._transfer is not asyncio.current_task():
            raise CannotDo("the caller is being sent elsewhere already")
        if self._n_transfers >= MAX_TRANSFERS:
            raise CannotDo("that has failed too often in this call")
        self._n_transfers += 1
        target = self.divert(target)
        await player.drain()
        await self.send_away(target)
        return "OK"

    def _check_transfers(self) -> None:
        if not self._wire.traits.transfers:
            raise CannotDo("this carrier cannot send a caller elsewhere")
        if self._line is None and not isinstance(self._wire, SendsAway):
            raise CannotDo("there are no credentials for the carrier's API")


def _play_tones(lane: Lane, digits: str, tone_s: float, space_s: float) -> None:
    tones = [dtmf(key, lane.source_hz, tone_s=tone_s, space_s=space_s) for key in digits]
    lane.push(np.concatenate(tones))
    lane.end_segment()


def _digits(value: object) -> str:
    digits = str(value).upper() if isinstance(value, str | int) else ""
    if not _DIGITS.fullmatch(digits):
        raise CannotDo(f"the digits must be 1 to {MAX_DIGITS} of 0-9 * # A-D")
    return digits


def _seconds(parameters: Mapping[str, object], name: str, default: float) -> float:
    """A duration as the API writes it: ``0.2s``, or a number of seconds."""
    value = parameters.get(name)
    if value is None:
        return default
    found = _DURATION.fullmatch(str(value))
    if found is None:
        raise CannotDo(f"the {name} must be a duration such as 0.2s")
    return float(found.group(1))
