"""One live call from the caller's side: audio, words, states and tools, typed.

Names follow the vendor's SDKs where the meaning is the same (reference ultravox 3.1, 3.4). A session stands between a
caller's leg (a sound device, or a program's arrays) and the leg behind the join URL, whatever its medium.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol, Self, TypeVar

from bridge.client import CallApi
from bridge.legs.base import Ended, Leg
from bridge.talk.events import SessionEvent, SessionFigures, Status, ToolRun, Transcript, Turn
from bridge.talk.tools import Tool, ToolImplementation
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import ClientMessage, Medium, Urgency
from bridge_codecs.pcm import Int16

E = TypeVar("E", bound=SessionEvent)


class CallerEnd(Leg, Protocol):
    """The caller's leg of a session: a leg whose two directions can be muted, and that can play a tone."""

    mic_muted: bool
    """Silence goes to the agent instead of what the microphone hears."""
    speaker_muted: bool
    """Silence is played instead of the agent; its time passes all the same."""

    def play_tone(self, samples: Int16) -> None:
        """Play mono int16 at `sink_hz` to the caller alone, over what the agent says."""
        ...


class CallSession:
    """A call that is joined once, takes place, and is over.

    Args:
        caller: the caller's leg.
        rates: of the call's audio: what the agent hears and what it says. A `serverWebSocket` call was made with such
            rates; over WebRTC they are ours to choose.
        tools: client tools that this side answers.
        record: a folder for call.wav, agent.wav, call.json and timeline.html; None keeps nothing.
        by_hand: a person is there to answer tools that no function answers; else they are refused at once.
        api: reads what the server recorded of the call, when it is over; None: nothing is asked.

    A session lives on one event loop; its methods are called there. What does not say so never waits.
    """

    def __init__(
        self,
        caller: CallerEnd,
        *,
        rates: Rates,
        tools: Sequence[Tool] = (),
        record: Path | None = None,
        by_hand: bool = False,
        api: CallApi | None = None,
    ) -> None:
        raise NotImplementedError

    # Joining and leaving

    async def join_call(self, join_url: str) -> None:
        """Join; returns when the media connection stands, with the agent perhaps not ready yet (see `ready`).

        Raises: JoinRefused, with the status `disconnected`; UsageError for a second call.
        """
        raise NotImplementedError

    async def ready(self) -> bool:
        """Wait until the agent has told its first state; false if the call ended before."""
        raise NotImplementedError

    async def leave_call(self) -> Ended:
        """Hang up, and wait until the call is over and its files are complete; how it ended. May be called twice."""
        raise NotImplementedError

    async def ended(self) -> Ended:
        """Wait until the call is over, whoever ends it, and its files are complete; how it ended."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """The session."""
        raise NotImplementedError

    async def __aexit__(self, *exc: object) -> None:
        """Leave the call."""
        raise NotImplementedError

    # What is going on

    @property
    def status(self) -> Status:
        """What the session does."""
        raise NotImplementedError

    @property
    def call_id(self) -> str:
        """The server's id of the call; empty before it has told it."""
        raise NotImplementedError

    @property
    def now_s(self) -> float:
        """Seconds since the call was joined: the clock of all events."""
        raise NotImplementedError

    @property
    def transcripts(self) -> Sequence[Transcript]:
        """All utterances, by ordinal; blank ones are left out."""
        raise NotImplementedError

    @property
    def tools(self) -> Sequence[ToolRun]:
        """All tool calls in the order in which they were asked for."""
        raise NotImplementedError

    @property
    def turns(self) -> Sequence[Turn]:
        """All turns of the user."""
        raise NotImplementedError

    @property
    def notes(self) -> Sequence[str]:
        """Sentences that people should read."""
        raise NotImplementedError

    @property
    def figures(self) -> SessionFigures:
        """How the audio stands; cheap enough for ten times a second."""
        raise NotImplementedError

    @property
    def output_medium(self) -> Medium:
        """The medium that the agent was last asked to answer in; voice before."""
        raise NotImplementedError

    # Events

    def on(self, event: type[E] | str, callback: Callable[[E], object]) -> Callable[[], None]:
        """Call back for each event of a kind: its class, or its name such as ``"status"``; returns what takes it back.

        A callback that raises is noted and harms nothing else. Raises: UsageError for a kind that does not exist.
        """
        raise NotImplementedError

    def events(self) -> AsyncIterator[SessionEvent]:
        """All events from now on, as an async iterator that ends with `CallEnded`; each call gives its own.

        A reader that falls 1,000 events behind loses the oldest and is told so by a `Noted`.
        """
        raise NotImplementedError

    # Talking

    def send_text(
        self, text: str, *, urgency: Urgency | None = None, defer_response: bool = False
    ) -> None:
        """Say something by typing; `defer_response`: wait for an answer that something else causes.

        Raises: UsageError while the call is not live, or for a text that is too long.
        """
        raise NotImplementedError

    def set_output_medium(self, medium: Medium) -> None:
        """Have the agent answer by voice or in text. Raises: UsageError while the call is not live."""
        raise NotImplementedError

    def send_dtmf(self, digits: str) -> None:
        """Press keys (0-9 * # A-D): a tone for each, and one message to the agent for those pressed within 500 ms.

        Raises: UsageError while the call is not live, or for what is no key.
        """
        raise NotImplementedError

    def send_data(self, message: ClientMessage) -> None:
        """Send any data message. Raises: UsageError while the call is not live."""
        raise NotImplementedError

    def mute_mic(self) -> None:
        """Send silence to the agent."""
        raise NotImplementedError

    def unmute_mic(self) -> None:
        """Let the agent hear again."""
        raise NotImplementedError

    def toggle_mic_mute(self) -> None:
        """Mute the microphone, or no longer."""
        raise NotImplementedError

    @property
    def is_mic_muted(self) -> bool:
        """Whether the agent hears silence."""
        raise NotImplementedError

    def mute_speaker(self) -> None:
        """Play silence instead of the agent."""
        raise NotImplementedError

    def unmute_speaker(self) -> None:
        """Let the agent be heard again."""
        raise NotImplementedError

    def toggle_speaker_mute(self) -> None:
        """Mute the loudspeaker, or no longer."""
        raise NotImplementedError

    @property
    def is_speaker_muted(self) -> bool:
        """Whether the caller hears silence."""
        raise NotImplementedError

    # Tools

    def register_tool_implementation(self, name: str, implementation: ToolImplementation) -> None:
        """Answer a client tool with a function, async or not.

        One with a single parameter that is unannotated or a dict gets all arguments as a dict, as in the vendor's
        SDKs; any other gets them by name, checked against its annotations. Raises: UsageError.
        """
        raise NotImplementedError

    def register_tool_implementations(self, tools: dict[str, ToolImplementation]) -> None:
        """Answer several client tools. Raises: UsageError."""
        raise NotImplementedError

    def answer_tool(
        self, invocation_id: str, result: str = "", *, error: str | None = None
    ) -> bool:
        """Answer a tool by hand, whether its function still runs or nobody else can; false if it is answered already.

        `error` instead of a result says in one sentence why there is none.
        """
        raise NotImplementedError
