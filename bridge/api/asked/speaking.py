"""Who speaks first, with which voice, and when user speech counts."""

from typing import Final

from bridge.api.problems import Problems
from bridge.api.schemas.base import seconds
from bridge.api.schemas.start_call import (
    AgentGreeting,
    FirstSpeakerSettings,
    StartCallRequest,
    TimedMessage,
    UserGreeting,
    VadSettings,
)
from bridge.api.schemas.voices import ExternalVoice
from bridge.calls import settings

_NO_MATCH: Final = "This does not agree with firstSpeakerSettings."
_ONE_PROVIDER: Final = "Exactly one provider of a voice is needed here."
_END_BEHAVIORS: Final[dict[str | None, settings.EndBehavior]] = {
    "END_BEHAVIOR_HANG_UP_SOFT": "hang_up_soft",
    "END_BEHAVIOR_HANG_UP_STRICT": "hang_up_strict",
}


def first_speaker_from(
    asked: StartCallRequest, problems: Problems
) -> settings.AgentFirst | settings.UserFirst:
    """Who opens the call; the older `firstSpeaker` fills in where the settings are silent."""
    detailed = asked.first_speaker_settings or FirstSpeakerSettings()
    if detailed.user is not None and detailed.agent is not None:
        problems.add("Either user or agent can be set, not both.", "firstSpeakerSettings")
    user_by_name = asked.first_speaker == "FIRST_SPEAKER_USER"
    agent_by_name = asked.first_speaker == "FIRST_SPEAKER_AGENT"
    if (user_by_name and detailed.agent) or (agent_by_name and detailed.user):
        problems.add(_NO_MATCH, "firstSpeaker")
    if detailed.user is not None:
        return _user_first(detailed.user)
    if detailed.agent is None and user_by_name:
        return settings.UserFirst()
    return _agent_first(detailed.agent or AgentGreeting())


def vad_from(asked: VadSettings | None) -> settings.VadSettings:
    """The settings of the endpointer: what is not set keeps its default."""
    if asked is None:
        return settings.VadSettings()
    given = {
        "turn_endpoint_delay_ms": _ms(asked.turn_endpoint_delay),
        "minimum_turn_duration_ms": _ms(asked.minimum_turn_duration),
        "minimum_interruption_duration_ms": _ms(asked.minimum_interruption_duration),
        "frame_activation_threshold": asked.frame_activation_threshold,
    }
    return settings.VadSettings(
        **{name: value for name, value in given.items() if value is not None}
    )


def inactivity_from(asked: list[TimedMessage] | None) -> tuple[settings.TimedMessage, ...]:
    """What the agent says to a silent user, in this order."""
    return tuple(
        settings.TimedMessage(
            duration_s=seconds(each.duration),
            message=each.message or "",
            end_behavior=_END_BEHAVIORS.get(each.end_behavior, "go_on"),
        )
        for each in asked or ()
    )


def check_voices(asked: StartCallRequest, problems: Problems) -> None:
    """Either a voice or an external one; overrides only for a voice; one provider each."""
    if asked.voice and asked.external_voice is not None:
        problems.add("Either voice or externalVoice can be set, not both.", "externalVoice")
    if asked.voice_overrides is not None and not asked.voice:
        problems.add("Overrides need the voice that they change.", "voiceOverrides")
    _check_provider(asked.external_voice, problems.at("externalVoice"))
    _check_provider(asked.voice_overrides, problems.at("voiceOverrides"))


def _check_provider(voice: ExternalVoice | None, problems: Problems) -> None:
    if voice is not None and len(voice.model_fields_set) != 1:
        problems.add(_ONE_PROVIDER)


def _user_first(asked: UserGreeting) -> settings.UserFirst:
    fallback = asked.fallback
    if fallback is None:
        return settings.UserFirst()
    return settings.UserFirst(
        settings.Fallback(seconds(fallback.delay), fallback.text or None, fallback.prompt or None)
    )


def _agent_first(asked: AgentGreeting) -> settings.AgentFirst:
    return settings.AgentFirst(
        text=asked.text or None,
        prompt=asked.prompt or None,
        delay_s=seconds(asked.delay or "0s"),
        uninterruptible=bool(asked.uninterruptible),
    )


def _ms(duration: str | None) -> int | None:
    return None if duration is None else round(1000 * seconds(duration))
