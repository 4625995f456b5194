import asyncio

import pytest

from bridge.errors import UsageError
from bridge.talk.events import (
    DigitsSent,
)
from bridge.talk.keys import BY_HAND_S, KEY_S, KEY_SPACE_S, MAX_KEYS
from tests.fakes.talk_world import RATES, FarCall, far_played, soon


def test_keys_pressed_within_half_a_second_are_one_message() -> None:
    async def talk(joined: FarCall) -> None:
        joined.call.send_dtmf("12")
        await asyncio.sleep(0.4)
        joined.call.send_dtmf("#")
        await asyncio.sleep(0.6)
        joined.call.send_dtmf("9")
        await asyncio.sleep(0.6)

        sent = [(each["text"], each["urgency"]) for each in joined.far.of("user_text_message")]
        assert sent == [("12#", "immediate"), ("9", "immediate")]
        assert [event.digits for event in joined.of(DigitsSent)] == ["12#", "9"]

    far_played(talk)


def test_keys_pressed_by_hand_may_come_slowly_and_go_at_once_when_no_more_follow() -> None:
    async def talk(joined: FarCall) -> None:
        for digit in "427":
            joined.call.send_dtmf(digit, pause_s=BY_HAND_S)
            await asyncio.sleep(BY_HAND_S - 0.1)
        assert joined.of(DigitsSent) == []
        await asyncio.sleep(0.2)
        joined.call.send_dtmf("1", pause_s=BY_HAND_S)
        joined.call.send_dtmf("", pause_s=0)
        joined.call.send_dtmf("", pause_s=0)
        await soon()

        sent = [each["text"] for each in joined.far.of("user_text_message")]
        assert sent == ["427", "1"]
        assert [event.digits for event in joined.of(DigitsSent)] == sent

    far_played(talk)


def test_a_key_plays_its_tone_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    tones: list[int] = []

    async def talk(joined: FarCall) -> None:
        leg = joined.call._caller
        monkeypatch.setattr(leg, "play_tone", lambda samples: tones.append(samples.size))
        joined.call.send_dtmf("12")

    far_played(talk)

    assert tones == [2 * round((KEY_S + KEY_SPACE_S) * RATES.output_hz)]


@pytest.mark.parametrize(("digits", "why"), [("12x", "0-9"), ("1" * (MAX_KEYS + 1), "at most 20")])
def test_what_is_no_key_is_refused(digits: str, why: str) -> None:
    async def talk(joined: FarCall) -> None:
        with pytest.raises(UsageError, match=why):
            joined.call.send_dtmf(digits)
        await asyncio.sleep(1)
        assert not joined.far.of("user_text_message")

    far_played(talk)
