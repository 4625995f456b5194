import pytest

from bridge.api.asked.speaking import check_voices, first_speaker_from, inactivity_from, vad_from
from bridge.api.problems import Problems
from bridge.api.refusal import Refused
from bridge.api.schemas.start_call import StartCallRequest
from bridge.calls.settings import AgentFirst, Fallback, TimedMessage, UserFirst, VadSettings


def request(**asked: object) -> StartCallRequest:
    return StartCallRequest.model_validate(asked)


def first_speaker(**asked: object) -> AgentFirst | UserFirst:
    problems = Problems()
    made = first_speaker_from(request(**asked), problems)
    problems.raise_any()
    return made


AGENT, USER = "FIRST_SPEAKER_AGENT", "FIRST_SPEAKER_USER"
GREETING = {"text": "Hi.", "delay": "1.5s", "uninterruptible": True}
FALLBACK = {"delay": "4s", "prompt": "Say something."}


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        (None, None, AgentFirst()),
        ("FIRST_SPEAKER_UNSPECIFIED", {}, AgentFirst()),
        (AGENT, None, AgentFirst()),
        (USER, None, UserFirst()),
        (USER, {}, UserFirst()),
        (None, {"agent": {}}, AgentFirst()),
        (AGENT, {"agent": GREETING}, AgentFirst("Hi.", None, 1.5, uninterruptible=True)),
        (None, {"agent": {"prompt": "Greet.", "text": ""}}, AgentFirst(None, "Greet.")),
        (None, {"user": {}}, UserFirst()),
        (USER, {"user": {"fallback": FALLBACK}}, UserFirst(Fallback(4.0, None, "Say something."))),
    ],
)
def test_the_first_speaker_is_as_asked(
    name: str | None, settings: object, expected: AgentFirst | UserFirst
) -> None:
    assert first_speaker(firstSpeaker=name, firstSpeakerSettings=settings) == expected


@pytest.mark.parametrize(("name", "settings"), [(AGENT, {"user": {}}), (USER, {"agent": {}})])
def test_two_first_speakers_that_differ_are_refused(name: str, settings: object) -> None:
    with pytest.raises(Refused) as caught:
        first_speaker(firstSpeaker=name, firstSpeakerSettings=settings)

    assert list(caught.value.body) == ["firstSpeaker"]


def test_user_and_agent_cannot_both_be_first() -> None:
    with pytest.raises(Refused) as caught:
        first_speaker(firstSpeakerSettings={"user": {}, "agent": {}})

    assert list(caught.value.body) == ["firstSpeakerSettings"]


def test_vad_settings_that_are_not_given_keep_their_defaults() -> None:
    asked = request(vadSettings={"turnEndpointDelay": "0.8s"}).vad_settings

    assert vad_from(None) == VadSettings()
    assert vad_from(asked) == VadSettings(turn_endpoint_delay_ms=800)


def test_all_vad_settings_are_taken_over_in_milliseconds() -> None:
    asked = request(
        vadSettings={
            "turnEndpointDelay": "0s",
            "minimumTurnDuration": "0.25s",
            "minimumInterruptionDuration": "0.4804s",
            "frameActivationThreshold": 1,
        }
    )

    assert vad_from(asked.vad_settings) == VadSettings(0, 250, 480, 1.0)


def test_inactivity_messages_keep_their_order_and_ends() -> None:
    asked = request(
        inactivityMessages=[
            {"duration": "8s", "message": "Still there?"},
            {"duration": "5s", "message": "Hm.", "endBehavior": "END_BEHAVIOR_HANG_UP_SOFT"},
            {"duration": "2s", "endBehavior": "END_BEHAVIOR_HANG_UP_STRICT"},
        ]
    )

    assert inactivity_from(asked.inactivity_messages) == (
        TimedMessage(8.0, "Still there?"),
        TimedMessage(5.0, "Hm.", "hang_up_soft"),
        TimedMessage(2.0, "", "hang_up_strict"),
    )


LMNT = {"lmnt": {"voiceId": "lily"}}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"voice": "Mark"},
        {"externalVoice": LMNT},
        {"voice": "Mark", "voiceOverrides": {"lmnt": {"speed": 1.5}}},
        {"voice": "", "externalVoice": LMNT},
    ],
)
def test_voices_that_go_together_pass(asked: dict[str, object]) -> None:
    problems = Problems()

    check_voices(request(**asked), problems)

    problems.raise_any()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"voice": "Mark", "externalVoice": LMNT}, "externalVoice"),
        ({"externalVoice": LMNT, "voiceOverrides": LMNT}, "voiceOverrides"),
        ({"voiceOverrides": LMNT}, "voiceOverrides"),
        ({"externalVoice": {}}, "externalVoice"),
        ({"externalVoice": {**LMNT, "google": {}}}, "externalVoice"),
    ],
)
def test_voices_that_do_not_are_refused_at_their_field(
    asked: dict[str, object], field: str
) -> None:
    problems = Problems()

    check_voices(request(**asked), problems)

    with pytest.raises(Refused) as caught:
        problems.raise_any()
    assert list(caught.value.body) == [field]
