"""The virtual devices of the tests, by PortAudio: what is said is heard, and what is played is recorded."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan
from bridge_codecs.pcm import Int16
from tests.fakes import pulse as pulse_module
from tests.fakes.pulse import (
    RATE_HZ,
    PulseServer,
    PulseUnavailable,
    has_portaudio,
    present,
    pulse,
    pulse_server,
)

__all__ = ["pulse"]

pytestmark = pytest.mark.skipif(not has_portaudio(), reason="PortAudio is not installed")

PROGRAM = """
import json, time
import numpy as np
import sounddevice as sd

heard = []
def listen(block, n, instants, status):
    heard.append(block[:, 0].copy())
def tone(block, n, instants, status):
    at = tone.position + np.arange(n)
    block[:, 0] = np.rint(8000 * np.sin(2 * np.pi * 1000 * at / 48000))
    tone.position += n
tone.position = 0
form = dict(channels=1, dtype="int16", samplerate=48000, blocksize=480, latency=0.02)
with sd.InputStream(callback=listen, **form), sd.OutputStream(callback=tone, **form):
    time.sleep(1.2)
found = np.concatenate(heard)
names = [device["name"] for device in sd.query_devices()]
print(json.dumps({"names": names, "peak": int(np.abs(found).max()), "seconds": found.size / 48000}))
"""


def tone(hz: float, seconds: float, peak: float) -> Int16:
    at = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return np.rint(peak * np.sin(2 * np.pi * hz * at)).astype(np.int16)


def test_a_program_hears_the_person_and_the_person_hears_the_program(pulse: PulseServer) -> None:
    plan = CallerPlan(turns=[CallerTurn("tone", tone(440, 0.5, 6_000), 0.3)])
    with present(pulse, plan) as person:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=pulse.environment,
            capture_output=True,
            timeout=20,
            check=True,
        )
    told = json.loads(done.stdout)
    assert "default" in told["names"]
    assert told["peak"] == pytest.approx(6_000, abs=10)
    assert told["seconds"] == pytest.approx(1.2, abs=0.3)
    played = np.flatnonzero(np.abs(person.heard) > 4_000)
    assert played.size
    assert np.abs(person.heard).max() == pytest.approx(8_000, abs=10)
    [started] = person.started
    # 0.3 s after the first sound, as far as 20 ms tell.
    assert started.at - played[0] == pytest.approx(0.3 * RATE_HZ, abs=0.021 * RATE_HZ)


def test_what_is_said_and_heard_has_the_same_length(pulse: PulseServer) -> None:
    with present(pulse) as person:
        time.sleep(0.3)
    assert person.said.size == person.heard.size > 0
    assert not person.heard.any()


def test_where_no_server_is_installed_it_is_said_which_programs_are_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PulseUnavailable, match="not installed: pulseaudio, pactl, pacat, parec"):
        pulse_server().__enter__()


def test_a_server_that_does_not_start_is_said_with_its_own_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pulse_module, "_MODULES", ("module-of-nobody",))
    monkeypatch.setattr(pulse_module, "START_S", 0.5)
    with pytest.raises(PulseUnavailable, match=r"does not start here: E: .*module-of-nobody"):
        pulse_server().__enter__()
