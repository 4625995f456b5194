"""Microphone and loudspeaker of a call, off and on: named as in the vendor's SDKs (reference ultravox 3.1)."""

from bridge.talk.call_view import CallView
from bridge.talk.caller_end import CallerEnd
from bridge.talk.events import MicMuted, SpeakerMuted
from bridge.talk.news import News
from bridge.talk.tool_desk import ToolDesk
from bridge.talk.witness import Witness


class MutableCall(CallView):
    """A call whose two directions can be muted.

    Args:
        caller: the caller's leg, which does it.
        news: hands the call's events on.
        desk: its client tools.
        witness: sees what passes.
    """

    def __init__(self, caller: CallerEnd, news: News, desk: ToolDesk, witness: Witness) -> None:
        super().__init__(news, desk, witness)
        self._caller = caller

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

    def _mute_mic(self, *, muted: bool) -> None:
        if muted != self.is_mic_muted:
            self._caller.mic_muted = muted
            self._news.tell(MicMuted(self._now(), muted))

    def _mute_speaker(self, *, muted: bool) -> None:
        if muted != self.is_speaker_muted:
            self._caller.speaker_muted = muted
            self._news.tell(SpeakerMuted(self._now(), muted))
