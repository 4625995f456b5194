import pytest

from bridge.api.views import call_view
from bridge.calls.records import CallRecord
from bridge.calls.settings import AgentFirst, CallSettings, Fallback, ServerSocketMedium, UserFirst
from tests.fakes.calls import EPOCH


def shown(settings: CallSettings) -> dict[str, object]:
    call = CallRecord("id", settings, EPOCH, "token")
    return call_view(call, "ws://x").model_dump(by_alias=True, exclude_unset=True)


@pytest.mark.parametrize(
    ("first", "name", "body"),
    [
        (AgentFirst(), "FIRST_SPEAKER_AGENT", {"agent": {}}),
        (
            AgentFirst("Hi.", None, 1.5, uninterruptible=True),
            "FIRST_SPEAKER_AGENT",
            {"agent": {"text": "Hi.", "delay": "1.5s", "uninterruptible": True}},
        ),
        (UserFirst(), "FIRST_SPEAKER_USER", {"user": {}}),
        (
            UserFirst(Fallback(0.0, prompt="Ask.")),
            "FIRST_SPEAKER_USER",
            {"user": {"fallback": {"prompt": "Ask.", "delay": "0s"}}},
        ),
    ],
)
def test_the_first_speaker_is_shown_in_both_ways(
    first: AgentFirst | UserFirst, name: str, body: object
) -> None:
    call = shown(CallSettings(first_speaker=first))

    assert (call["firstSpeaker"], call["firstSpeakerSettings"]) == (name, body)


def test_settings_made_by_hand_show_their_medium() -> None:
    medium = ServerSocketMedium(8000, 16_000, 200)

    assert shown(CallSettings(medium=medium))["medium"] == {
        "serverWebSocket": {
            "inputSampleRate": 8000,
            "outputSampleRate": 16_000,
            "clientBufferSizeMs": 200,
        }
    }


def test_voices_are_shown_only_if_asked_for() -> None:
    override = {"lmnt": {"speed": 1.5}}

    assert "voiceOverrides" not in shown(CallSettings())
    assert shown(CallSettings(request={"voiceOverrides": override}))["voiceOverrides"] == override
