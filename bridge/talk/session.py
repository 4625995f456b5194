"""One live call from the caller's side: audio, words, states and tools, typed.

Names follow the vendor's SDKs where the meaning is the same (reference ultravox 3.1, 3.4). A session stands between a
caller's leg (a sound device, or a program's arrays) and the leg behind the join URL, whatever its medium.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from bridge.client import CallApi
from bridge.errors import LocalWireError, UsageError
from bridge.legs.base import Ended, Leg, MessageEvent
from bridge.legs.carrier.dtmf import DtmfHandling, Keypad
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.media_socket import Connect
from bridge.legs.picows_socket import connect as open_socket
from bridge.talk.call_life import CallerEnd, CallLife
from bridge.talk.events import (
    LIVE,
    CallEnded,
    DigitsSent,
    MicMuted,
    OutputMediumSet,
    SessionEvent,
    SessionFigures,
    SpeakerMuted,
    Status,
    StatusChanged,
    ToolChanged,
    ToolRun,
    Transcript,
    Turn,
)
from bridge.talk.news import News
from bridge.talk.tool_desk import ToolDesk
from bridge.talk.tools import Tool, ToolImplementation, given_tool
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
from bridge_codecs.errors import CodecError
from bridge_codecs.tones import dtmf

if TYPE_CHECKING:
    from bridge.legs.webrtc.options import RtcOptions

MAX_KEYS: Final = 20
"""Keys at once: no agent is told of more in a second."""
KEY_S: Final = 0.12
KEY_SPACE_S: Final = 0.06

E = TypeVar("E", bound=SessionEvent)

__all__ = ["CallSession", "CallerEnd"]


class CallSession:
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
        self._caller = caller
        self._status: Status = "disconnected"
        self._medium: Medium = "voice"
        self._news = News(self._now)
        self._desk = ToolDesk(self._now, self._answer, self._tool_changed, by_hand=by_hand)
        self._desk.tools |= {tool.name: tool for tool in tools}
        self._witness = Witness(self._news.tell, self._agent_state, self._desk.invoked)
        self._keypad = Keypad(DtmfHandling(), self._send_keys, CarrierFigures())
        self._first_state = asyncio.Event()
        self._life = CallLife(
            caller,
            rates,
            connect=connect or (open_socket if api is None else api.join),
            rtc=rtc,
            record=record,
            api=api,
            witness=self._witness,
            desk=self._desk,
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

    async def ready(self) -> bool:
        """Wait until the agent has told its first state; false if the call ended before."""
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

    # What is going on

    @property
    def status(self) -> Status:
        """What the session does."""
        return self._status

    @property
    def call_id(self) -> str:
        """The server's id of the call; empty before it has told it."""
        return self._witness.call_id

    @property
    def now_s(self) -> float:
        """Seconds since the call was joined: the clock of all events."""
        return self._now()

    @property
    def transcripts(self) -> Sequence[Transcript]:
        """All utterances, by ordinal; blank ones are left out."""
        return self._witness.transcripts.all()

    @property
    def tools(self) -> Sequence[ToolRun]:
        """The tool calls in the order in which they were asked for: the last 1,000."""
        return tuple(self._desk.runs.values())

    @property
    def turns(self) -> Sequence[Turn]:
        """The turns of the user: the last 5,000."""
        return () if self._witness.turns is None else tuple(self._witness.turns.all)

    @property
    def notes(self) -> Sequence[str]:
        """Sentences that people should read."""
        return tuple(self._witness.notes)

    @property
    def figures(self) -> SessionFigures:
        """How the audio stands; cheap enough for ten times a second."""
        return self._witness.figures

    @property
    def output_medium(self) -> Medium:
        """The medium that the agent was last asked to answer in; voice before."""
        return self._medium

    # Events

    @overload
    def on(self, event: type[E], callback: Callable[[E], object]) -> Callable[[], None]: ...

    @overload
    def on(self, event: str, callback: Callable[[Any], object]) -> Callable[[], None]: ...

    def on(self, event: type[E] | str, callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call back for each event of a kind: its class, or its name such as ``"status"``; returns what takes it back.

        A callback that raises is noted and harms nothing else. Raises: UsageError for a kind that does not exist.
        """
        return self._news.on(event, callback)

    def events(self) -> AsyncIterator[SessionEvent]:
        """All events from now on, as an async iterator that ends with `CallEnded`; each call gives its own.

        A reader that falls 1,000 events behind loses the oldest and is told so by a `Noted`.
        """
        return self._news.read()

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

    def send_dtmf(self, digits: str) -> None:
        """Press keys (0-9 * # A-D): a tone for each, and one message to the agent for those pressed within 500 ms.

        Raises: UsageError while the call is not live, for what is no key, or for more than 20 at once.
        """
        self._require_live()
        if len(digits) > MAX_KEYS:
            raise UsageError(f"at most {MAX_KEYS} keys can be pressed at once")
        try:
            tones = dtmf(digits, self._caller.sink_hz, tone_s=KEY_S, space_s=KEY_SPACE_S)
        except CodecError as exc:
            raise UsageError(str(exc)) from None
        self._caller.play_tone(tones)
        for digit in digits:
            self._keypad.press(digit)

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

    def mute_mic(self) -> None:
        """Send silence to the agent."""
        self._mute_mic(muted=True)

    def unmute_mic(self) -> None:
        """Let the agent hear again."""
        self._mute_mic(muted=False)

    def toggle_mic_mute(self) -> None:
        """Mute the microphone, or no longer."""
        self._mute_mic(muted=not self.is_mic_muted)

    @property
    def is_mic_muted(self) -> bool:
        """Whether the agent hears silence."""
        return self._caller.mic_muted

    def mute_speaker(self) -> None:
        """Play silence instead of the agent."""
        self._mute_speaker(muted=True)

    def unmute_speaker(self) -> None:
        """Let the agent be heard again."""
        self._mute_speaker(muted=False)

    def toggle_speaker_mute(self) -> None:
        """Mute the loudspeaker, or no longer."""
        self._mute_speaker(muted=not self.is_speaker_muted)

    @property
    def is_speaker_muted(self) -> bool:
        """Whether the caller hears silence."""
        return self._caller.speaker_muted

    # Tools

    def register_tool_implementation(self, name: str, implementation: ToolImplementation) -> None:
        """Answer a client tool with a function, async or not.

        One with a single parameter that is unannotated or a dict gets all arguments as a dict, as in the vendor's
        SDKs; any other gets them by name, checked against its annotations. Raises: UsageError.
        """
        self._desk.tools[name] = given_tool(name, implementation)

    def register_tool_implementations(self, tools: Mapping[str, ToolImplementation]) -> None:
        """Answer several client tools. Raises: UsageError."""
        for name, implementation in tools.items():
            self.register_tool_implementation(name, implementation)

    def answer_tool(
        self, invocation_id: str, result: str = "", *, error: str | None = None
    ) -> bool:
        """Answer a tool by hand, whether its function still runs or nobody else can; false if it is answered already.

        `error` instead of a result says in one sentence why there is none.
        """
        return self._desk.answer(invocation_id, result, error)

    # Inside

    def _now(self) -> float:
        return self._witness.now()

    def _set_status(self, status: Status) -> None:
        was, self._status = self._status, status
        if was != status:
            self._news.tell(StatusChanged(self._now(), status, was))

    def _over(self, ended: Ended) -> None:
        self._keypad.stop()
        self._first_state.set()
        self._news.tell(CallEnded(self._now(), ended.reason, ended.detail))

    def _agent_state(self, state: AgentState) -> None:
        if state != "idle" and self._status not in ("disconnecting", "disconnected"):
            self._keypad.open()
            self._set_status(state)
            self._first_state.set()

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

    def _mute_mic(self, *, muted: bool) -> None:
        if muted != self.is_mic_muted:
            self._caller.mic_muted = muted
            self._news.tell(MicMuted(self._now(), muted))

    def _mute_speaker(self, *, muted: bool) -> None:
        if muted != self.is_speaker_muted:
            self._caller.speaker_muted = muted
            self._news.tell(SpeakerMuted(self._now(), muted))
