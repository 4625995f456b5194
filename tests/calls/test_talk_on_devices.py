"""`tipring talk` on sound devices, checked from what a person in front of them said and heard.

The program runs as users start it: PortAudio, PulseAudio's virtual devices (`tests.fakes.pulse`), the embedded agent.
A recorded voice is played into the microphone and interrupts the agent; the loudspeaker is recorded. The figures of
the run are properties of the report (`--junit-xml`), for they depend on the machine.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bridge.audio.level import FRAMES_PER_S, Span, audible_spans, frame_levels_dbfs
from bridge.batch.audio_file import read_audio
from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan
from bridge_codecs.pcm import Int16
from tests.fakes.echo_path import RECORDINGS
from tests.fakes.pulse import RATE_HZ, PulseServer, has_portaudio, present, pulse, running

__all__ = ["pulse"]

pytestmark = [
    pytest.mark.skipif(not has_portaudio(), reason="PortAudio is not installed"),
    pytest.mark.timeout(180),  # two talks, where the first one had holes
]

SCRIPT = '''
description = "Reads until somebody speaks, and says goodbye."
[[steps]]
say = """In the old days every telephone call passed through the hands of an operator. She sat before a board with a
hundred sockets, and each socket had a little lamp. When a lamp was lit, she took a cord, put its plug into the socket,
and asked which number was wanted."""
[[steps]]
hang_up = "Thank you, and goodbye."
'''
INTERRUPTS_AFTER_S = 3.0
CALL_S = 60.0
Report = Callable[[str, object], None]


@dataclass(frozen=True)
class Talk:
    """One talk until the agent hung up.

    Attributes:
        code: of the program.
        said: by the person, in samples of `heard`.
        heard: by the person, 48 kHz.
        record: the program's own, as `call.json` tells it.
        agent: the program's own recording of what was heard, 48 kHz.
        figures: what the program told last of its devices.
    """

    code: int
    said: Span
    heard: Int16
    record: Mapping[str, Any]
    agent: Int16
    figures: Mapping[str, Any]

    @property
    def reading(self) -> Sequence[Span]:
        """What was heard of the agent's first words, to where they were cut off."""
        return first_words(self.heard)

    @property
    def after(self) -> Sequence[Span]:
        """What was heard from then on."""
        return audible_spans(self.heard, RATE_HZ)[len(self.reading) :]


def first_words(samples: Int16) -> Sequence[Span]:
    """The audible stretches before the first silence of more than a second."""
    spans = audible_spans(samples, RATE_HZ)
    silences = [later.start - span.end for span, later in pairwise(spans)]
    number = next((n for n, silence in enumerate(silences) if silence > RATE_HZ), len(silences))
    return spans[: number + 1]


def spoken_s(samples: Int16, spans: Sequence[Span]) -> float:
    """How much was audible in these stretches: a busy machine makes holes, which are no speech."""
    levels = frame_levels_dbfs(samples[spans[0].start : spans[-1].end], RATE_HZ)
    return float(np.count_nonzero(levels > -55)) / FRAMES_PER_S


@pytest.fixture(scope="module")
def talk(pulse: PulseServer, tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """Somebody speaks three seconds after the agent's first sound.

    Held once more where the machine was too busy to bring and take all of the sound: what the program then hears of
    a voice has holes, and its answer is another matter.
    """
    held = _held(pulse, tmp_path_factory.mktemp("talk"))
    return held if not held.figures["drops"] else _held(pulse, tmp_path_factory.mktemp("again"))


def _held(pulse: PulseServer, folder: Path) -> Talk:
    (folder / "script.toml").write_text(SCRIPT)
    voice = read_audio(RECORDINGS / "appointment.flac", RATE_HZ).samples
    plan = CallerPlan(turns=[CallerTurn("appointment", voice, INTERRUPTS_AFTER_S)], tail_s=40.0)
    command = [sys.executable, "-m", "bridge", "talk", "--json"]
    command += ["--script", str(folder / "script.toml"), "--record", str(folder / "record")]
    with present(pulse, plan) as person, (folder / "events").open("wb") as events:
        # A pipe that stays open: nobody types, and nobody has closed the keyboard.
        ends = {"stdin": subprocess.PIPE, "stdout": events.fileno()}
        with running(command, env=pulse.environment, **ends) as program:
            code = program.wait(CALL_S)
    [started] = person.started
    [word, *_] = audible_spans(voice, RATE_HZ)
    lines = [json.loads(line) for line in (folder / "events").read_text().splitlines()]
    return Talk(
        code=code,
        said=Span(started.at + word.start, started.at + voice.size),
        heard=person.heard,
        record=json.loads((folder / "record" / "call.json").read_text()),
        agent=read_audio(folder / "record" / "agent.wav", RATE_HZ).samples,
        figures=[line for line in lines if line["event"] == "figures"][-1],
    )


def test_the_agent_hangs_up_and_the_program_ends_well(talk: Talk) -> None:
    assert talk.code == 0
    assert talk.record["end_reason"] == "agent_hangup"


def test_the_agent_falls_silent_when_the_person_speaks_and_answers_afterwards(
    talk: Talk, record_testsuite_property: Report
) -> None:
    silent_ms = 1000 * (talk.reading[-1].end - talk.said.start) / RATE_HZ
    assert 0 < silent_ms < 3_000  # it was speaking, and did not speak on
    assert talk.after
    answer_ms = 1000 * (talk.after[0].start - talk.said.end) / RATE_HZ
    assert answer_ms < 15_000  # the ear and the voice of a busy machine take their time
    record_testsuite_property("silent_after_interruption_ms", round(silent_ms))
    record_testsuite_property("answer_after_the_turn_ms", round(answer_ms))
    record_testsuite_property("device_latency_ms", talk.figures["latency_ms"])


def test_heard_and_unheard_are_told_apart_where_the_loudspeaker_fell_silent(talk: Talk) -> None:
    first = next(line for line in talk.record["transcripts"] if line["role"] == "agent")
    assert first["text"].startswith("In the old days")
    assert first["unheard_text"]
    words_per_s = len(first["text"].split()) / spoken_s(talk.heard, talk.reading)
    assert 2 < words_per_s < 4.5


def test_the_program_s_own_recording_ends_where_the_loudspeaker_did(
    talk: Talk, record_testsuite_property: Report
) -> None:
    told_s = spoken_s(talk.agent, first_words(talk.agent))
    heard_s = spoken_s(talk.heard, talk.reading)
    record_testsuite_property("heard_as_told_less_as_it_was_ms", round(1000 * (told_s - heard_s)))
    assert told_s == pytest.approx(heard_s, abs=0.15)
