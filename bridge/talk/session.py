"""One live call from the caller's side: audio, words, states and tools, typed.

Names follow the vendor's SDKs where the meaning is the same (reference ultravox 3.1, 3.4). A session stands between a
caller's leg (a sound device, or a program's arrays) and the leg behind the join URL, whatever its medium.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bridge.client import CallApi
from bridge.errors import LocalWireError, UsageError
from bridge.legs.base import Ended, Leg, MessageEvent
from bridge.legs.media_socket import Connect
from bridge.legs.picows_socket import connect as open_socket
from bridge.talk.answering import AnsweringCall
from bridge.talk.call_life import CallLife
from bridge.talk.caller_end import CallerEnd
from bridge.talk.events import (
    LIVE,
    CallEnded,
    DigitsSent,
    OutputMediumSet,
    ToolChanged,
    ToolRun,
)
from bridge.talk.keys import PAUSE_S, Keys
from bridge.talk.muting import MutableCall
from bridge.talk.news import News
from bridge.talk.tool_desk import ToolDesk
from bridge.talk.tools import Tool
from bridge.talk.witness import Witness
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import (
    AgentState,
    ClientMessage,
    ClientToolResult,
    Medium,
    SetOutputMedium,
    Urgency,
    UserTextMessage,
    encode,
)
from bridge.wire.strict_json import MESSAGE, utf8_size

if TYPE_CHECKING:
    from bridge.legs.webrtc.options import RtcOptions


FIRST_STATE_S: Final = 5.0
"""So long the agent's first state is waited for. A call can be made to tell none."""


class CallSession(MutableCall, AnsweringCall):
    """A call that is joined once, takes place, and is over.

    Args:
        caller: the caller's leg.
        rates: of the call's audio: what the agent hears and what it says. A `serverWebSocket` call was made with such
            rates; over WebRTC they are ours to choose.
        tools: client tools that this side answers.
        record: a folder for call.wav, agent.wav, call.json and timeline.html; None keeps nothing.
        by_hand: a person is there to answer tools that no function answers; else they are refused at once.
        api: joins the call, and reads what the server recorded of it when it is over and was recorded here; None: a
            join URL is all there is.
        rtc: how to join a call over WebRTC; the defaults when left out.
        connect: opens the join URL's socket; the API's way when left out, or a WebSocket.

    A session lives on one event loop, which runs when it is made; its methods are called there. What is not async
    never waits.
    """

    def __init__(  # noqa: PLR0913 - a call has that many parts
        self,
        caller: CallerEnd,
        *,
        rates: Rates,
        tools: Sequence[Tool] = (),
        record: Path | None = None,
        by_hand: bool = False,
        api: CallApi | None = None,
        rtc: "RtcOptions | None" = None,
        connect: Connect | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        news = News(self._now)
        desk = ToolDesk(self._now, self._answer, self._tool_changed, by_hand=by_hand)
        desk.tools |= {tool.name: tool for tool in tools}
        witness = Witness(news.tell, self._agent_state, desk.invoked)
        super().__init__(caller, news, desk, witness)
        self._keys = Keys(caller, self._send_keys)
        self._first_state = asyncio.Event()
        self._patience: asyncio.TimerHandle | None = None
        """Until the first state of an agent that tells none is supposed."""
        self._life = CallLife(
            caller,
            rates,
            connect=connect or (open_socket if api is None else api.join),
            rtc=rtc,
            record=record,
            api=api,
            witness=witness,
            desk=desk,
            on_status=self._set_status,
            on_over=self._over,
        )

    # Joining and leaving

    async def join_call(self, join_url: str) -> None:
        """Join; returns when the media connection stands, with the agent perhaps not ready yet (see `ready`).

        Raises: JoinRefused, with the status `disconnected`; UsageError for a second call, or a folder for the recording
        that cannot be.
        """
        await self._life.join(join_url)
        if not self._first_state.is_set():
            self._patience = self._loop.call_later(FIRST_STATE_S, self._agent_state, "listening")

    async def ready(self) -> bool:
        """Wait until the agent has told its first state, or for 5 s: it may have been made to tell none.

        Returns: false if the call ended before.
        """
        await self._first_state.wait()
        return not self._life.ended.done()

    async def leave_call(self) -> Ended:
        """Hang up, and wait until the call is over and its files are complete; how it ended. May be called twice.

        Raises: UsageError if no call was ever joined.
        """
        self._life.leave()
        return await self.ended()

    async def ended(self) -> Ended:
        """Wait until the call is over, whoever ends it, and its files are complete; how it ended.

        Raises: UsageError if no call was ever joined.
        """
        if not self._life.joined:
            raise UsageError("no call was joined")
        return await asyncio.shield(self._life.ended)

    async def __aenter__(self) -> Self:
        """The session."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave the call, if there is one."""
        if self._life.joined:
            await self.leave_call()

    @property
    def recording_complete(self) -> bool:
        """False when the call is over and something of `record` could not be written; a note says what and why."""
        return self._life.kept

    # Talking

    def send_text(
        self, text: str, *, urgency: Urgency | None = None, defer_response: bool = False
    ) -> None:
        """Say something by typing; `defer_response`: wait for an answer that something else causes.

        Raises: UsageError while the call is not live, or for a text that is too long.
        """
        chosen: Urgency = urgency or ("later" if defer_response else "soon")
        self.send_data(UserTextMessage(text=text, urgency=chosen))
        if chosen != "later" and self._witness.turns is not None:
            self._witness.turns.typed("text", self._loop.time())

    def set_output_medium(self, medium: Medium) -> None:
        """Have the agent answer by voice or in text. Raises: UsageError while the call is not live."""
        if medium not in ("voice", "text"):
            raise UsageError(f"an agent answers by voice or in text, not {medium!r}")
        self.send_data(SetOutputMedium(medium=medium))
        self._medium = medium
        self._news.tell(OutputMediumSet(self._now(), medium))

    def send_dtmf(self, digits: str, *, pause_s: float = PAUSE_S) -> None:
        """Press keys (0-9 * # A-D): a tone for each at once, and one message to the agent when no further key comes.

        Args:
            digits: may be empty: what was pressed before is there to be sent.
            pause_s: how long a further key is waited for, s; 0 sends at once, with what was pressed before.

        Raises: UsageError while the call is not live, for what is no key, or for more than 20 at once.
        """
        self._require_live()
        self._keys.press(digits, pause_s)
        if pause_s <= 0:
            self._keys.flush()

    def send_data(self, message: ClientMessage) -> None:
        """Send any data message.

        Raises: UsageError while the call is not live, or if it is too long.
        """
        agent = self._require_live()
        try:
            n_bytes = utf8_size(encode(message))
        except LocalWireError:
            raise UsageError("half a character is no text that can be sent") from None
        if n_bytes > MESSAGE.max_bytes:
            raise UsageError(f"a message has at most {MESSAGE.max_bytes} bytes, not {n_bytes}")
        agent.receive(MessageEvent(message))

    # Inside

    def _over(self, ended: Ended) -> None:
        self._keys.stop()
        self._first_state.set()
        if self._patience is not None:
            self._patience.cancel()
        self._news.tell(CallEnded(self._now(), ended.reason, ended.detail))

    def _agent_state(self, state: AgentState) -> None:
        if state != "idle" and self._status not in ("disconnecting", "disconnected"):
            self._keys.open()
            self._set_status(state)
            self._first_state.set()
            if self._patience is not None:
                self._patience.cancel()

    def _require_live(self) -> Leg:
        if self._life.agent is None or self._status not in LIVE:
            raise UsageError(f"the call is not live: its status is {self._status}")
        return self._life.agent

    def _answer(self, result: ClientToolResult) -> None:
        if self._life.agent is not None:
            self._life.agent.receive(MessageEvent(result))

    def _tool_changed(self, run: ToolRun) -> None:
        self._news.tell(ToolChanged(self._now(), run))

    def _send_keys(self, message: UserTextMessage) -> None:
        if self._life.agent is not None:
            self._life.agent.receive(MessageEvent(message))
            self._news.tell(DigitsSent(self._now(), message.text))
            if self._witness.turns is not None:
                self._witness.turns.typed("keys", self._loop.time())
