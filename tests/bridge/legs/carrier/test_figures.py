import json
from collections import Counter

from bridge.legs.carrier.figures import (
    CarrierFigures,
    Interruption,
    figures_of,
    interruptions_of,
)


def test_the_figures_of_a_call_are_plain_json_and_rounded() -> None:
    figures = CarrierFigures(
        frames_in=3,
        preroll_ms=239.6,
        caller_audio_lost_ms=1.26,
        first_agent_audio_s=0.12349,
        ignored=Counter({"bad": 2}),
    )
    plain = json.loads(json.dumps(figures_of(figures)))

    assert (plain["framesIn"], plain["prerollMs"], plain["callerAudioLostMs"]) == (3, 240, 1.3)
    assert plain["firstAgentAudio"] == 0.123
    assert plain["ignored"] == {"bad": 2}
    assert figures_of(CarrierFigures())["firstAgentAudio"] is None


def test_an_interruption_says_its_overrun_or_that_there_is_none() -> None:
    cuts = [
        Interruption(1.23456, "Hello", "there", 310.4, 251.6),
        Interruption(2, "", "", 20, None),
    ]
    plain = json.loads(json.dumps(interruptions_of(CarrierFigures(interruptions=cuts))))

    assert plain[0] == {
        "at": 1.235,
        "heardText": "Hello",
        "unheardText": "there",
        "unheardMs": 310,
        "overrunMs": 252,
    }
    assert plain[1]["overrunMs"] is None
