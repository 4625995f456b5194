import asyncio

import pytest

from bridge.talk.events import (
    MicMuted,
    SpeakerMuted,
)
from tests.fakes.talk_world import RATES, FarCall, far_played


def test_muting_is_told_once_and_the_agent_hears_silence_at_the_same_tempo() -> None:
    async def talk(joined: FarCall) -> None:
        call = joined.call
        call.mute_mic()
        call.mute_mic()
        call.toggle_speaker_mute()
        before = joined.far.n_bytes
        await asyncio.sleep(1)
        sent_s = (joined.far.n_bytes - before) / 2 / RATES.input_hz

        assert (call.is_mic_muted, call.is_speaker_muted) == (True, True)
        assert [event.muted for event in joined.of(MicMuted)] == [True]
        assert [event.muted for event in joined.of(SpeakerMuted)] == [True]
        assert sent_s == pytest.approx(1, abs=0.03)
        call.unmute_mic()
        call.toggle_mic_mute()
        call.unmute_speaker()
        call.mute_speaker()
        assert [event.muted for event in joined.of(MicMuted)] == [True, False, True]

    far_played(talk)
