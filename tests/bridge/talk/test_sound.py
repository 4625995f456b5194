import pytest

from bridge.errors import UsageError
from bridge.talk.sound import Sound
from bridge.talk_config import TalkConfig


@pytest.mark.parametrize(
    ("sound", "word"),
    [
        (Sound(typed=True, microphone="usb"), "--text"),
        (Sound(typed=True, loudspeaker=0), "--text"),
        (Sound(typed=True, aec=False), "--text"),
        (Sound(typed=True, push_to_talk=True), "--text"),
        (Sound(half_duplex=True, push_to_talk=True), "--push-to-talk"),
    ],
)
def test_what_cannot_be_together_is_refused_in_a_sentence(sound: Sound, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        sound.check()


def test_each_alone_is_fine() -> None:
    for sound in (Sound(), Sound(typed=True), Sound(half_duplex=True), Sound(push_to_talk=True)):
        sound.check()


def test_the_command_line_comes_before_the_preferences() -> None:
    preferences = TalkConfig(microphone="usb", loudspeaker=3, aec=False, half_duplex=True)

    assert Sound().preferring(preferences) == Sound(
        microphone="usb", loudspeaker=3, aec=False, half_duplex=True
    )
    assert Sound(microphone="1", push_to_talk=True).preferring(preferences) == Sound(
        microphone="1", loudspeaker=3, aec=False, push_to_talk=True
    )
    assert Sound(aec=False).preferring(TalkConfig()).aec is False
