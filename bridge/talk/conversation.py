"""A session and its sound device as the screen and the line mode see them: questions and commands that never wait."""

import asyncio
from collections.abc import Callable
from typing import Literal

from bridge.errors import UsageError
from bridge.talk.caller import DeviceEnd
from bridge.talk.facts import LIVE
from bridge.talk.keys import BY_HAND_S
from bridge.talk.screen.needs import Gauges
from bridge.talk.session import CallSession


class Conversation:
    """A `Talk` over a live session.

    Args:
        session: the call.
        device: its sound device; None in a typed conversation.
        on_refusal: takes the sentence of a command that cannot be done now.

    Attributes:
        leaving: set when the user wants the call to end.
    """

    def __init__(
        self, session: CallSession, device: DeviceEnd | None, on_refusal: Callable[[str], None]
    ) -> None:
        self._session, self._device = session, device
        self._refuse = on_refusal
        self._begun, self._drops_before = False, 0
        """What had been counted when the agent was first seen there: devices settle until then."""
        self.leaving = asyncio.Event()

    @property
    def has_devices(self) -> bool:
        """Whether anything is heard."""
        return self._device is not None

    @property
    def mic_muted(self) -> bool:
        """Whether the agent hears silence."""
        return self._session.is_mic_muted

    @property
    def speaker_muted(self) -> bool:
        """Whether the user hears silence."""
        return self._session.is_speaker_muted

    @property
    def elapsed_s(self) -> float:
        """Since the call was joined."""
        return self._session.now_s

    async def ready(self) -> None:
        """Wait until the agent has told its first state, or the call is over."""
        await self._session.ready()

    def gauges(self) -> Gauges:
        """The device's figures, with what the whole call holds and has lost."""
        figures = self._session.figures
        if self._device is None:
            return Gauges(buffer_ms=figures.buffered_ms)
        mic_dbfs, speaker_dbfs = self._device.levels
        device = self._device.figures
        drifts = (device.drift_ppm_in, device.drift_ppm_out)
        return Gauges(
            mic_dbfs=mic_dbfs,
            speaker_dbfs=speaker_dbfs,
            buffer_ms=figures.buffered_ms,
            drops=self._drops(figures.underruns + device.overruns + device.glitches),
            drift_ppm=max(drifts, key=abs),
            latency_ms=device.latency_in_ms + device.latency_out_ms,
            devices=(device.microphone, device.loudspeaker),
        )

    def _drops(self, counted: int) -> int:
        """Those of the call; a number that never falls."""
        if not self._begun:
            self._begun, self._drops_before = self._session.status in LIVE, counted
        return counted - self._drops_before

    def toggle_mic(self) -> None:
        """Mute the microphone, or no longer."""
        self._try(self._session.toggle_mic_mute)

    def toggle_speaker(self) -> None:
        """Mute the loudspeaker, or no longer."""
        self._try(self._session.toggle_speaker_mute)

    def push_to_talk(self, held: bool | None) -> None:
        """Open the microphone while the key is held."""
        if self._device is not None:
            self._device.push_to_talk(held)

    def send_text(self, text: str) -> None:
        """Say it as typed text."""
        self._try(lambda: self._session.send_text(text))

    def send_dtmf(self, digits: str) -> None:
        """Press telephone keys."""
        self._try(lambda: self._session.send_dtmf(digits))

    def press_key(self, digit: str) -> None:
        """Press a telephone key that others may follow."""
        self._try(lambda: self._session.send_dtmf(digit, pause_s=BY_HAND_S))

    def send_pressed_keys(self) -> None:
        """No further key follows."""
        self._try(lambda: self._session.send_dtmf("", pause_s=0))

    def set_output_medium(self, medium: Literal["voice", "text"]) -> None:
        """How the agent shall answer from now on."""
        self._try(lambda: self._session.set_output_medium(medium))

    def answer_tool(self, invocation_id: str, result: str) -> None:
        """Give a client tool's result by hand."""
        if not self._session.answer_tool(invocation_id, result):
            self._refuse("that tool has its answer already")

    def hang_up(self) -> None:
        """Have the call ended; whoever runs the talk sees to it."""
        self.leaving.set()

    def _try(self, command: Callable[[], object]) -> None:
        try:
            command()
        except UsageError as exc:
            self._refuse(str(exc))
