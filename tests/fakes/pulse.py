"""A sound server with virtual devices, and a person in front of them.

PulseAudio runs on its own, with its own runtime folder, for the time of a test; a real system's is left alone. It has
two null sinks: `loudspeaker`, which the program under test plays to and the person hears, and `person`, which the
person speaks into and the program hears as `microphone`. PortAudio finds both as ALSA's default device, of type pulse.

Known by trying: PulseAudio 16 starts as root in a container without `--system`, and misses D-Bus in vain. Without
`norewinds` a null sink renders two seconds at once while nobody listens, and a new stream stalls for as long.
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

import numpy as np
import pytest

from bridge.batch.caller import Started
from bridge.testing.caller import CallerPlan, PhoneCaller
from bridge_codecs.pcm import Int16, silence

RATE_HZ: Final = 48_000
LATENCY_MS: Final = 20
"""Of the person's own programs: with less the server would wake the program under test more often than it asks for."""
CHUNK: Final = RATE_HZ // 50
AHEAD_CHUNKS: Final = 3
"""What the person says lies ready for 60 ms, so that a late thread makes no hole in it."""
START_S: Final = 5.0
STOP_S: Final = 3.0
ALONE_S: Final = 60
"""A server whose test was killed ends itself when nobody has used it for so long."""
_PROGRAMS: Final = ("pulseaudio", "pactl", "pacat", "parec")
_MODULES: Final = (
    f"module-null-sink sink_name=loudspeaker rate={RATE_HZ} channels=1 norewinds=1",
    f"module-null-sink sink_name=person rate={RATE_HZ} channels=1 norewinds=1",
    "module-remap-source source_name=microphone master=person.monitor",
)
_ALSA: Final = """
pcm.!default {
  type pulse
  hint { show on description "Virtual devices of a test" }
}
ctl.!default { type pulse }
"""


class PulseUnavailable(Exception):  # noqa: N818 - reads as what happened
    """The server cannot run here; the sentence says why."""


@dataclass(frozen=True)
class PulseServer:
    """A running server.

    Attributes:
        environment: What a program needs in its environment to find it and nothing else.
    """

    environment: Mapping[str, str]

    def pactl(self, *arguments: str) -> str:
        """Give the server an order; what it answers."""
        done = subprocess.run(
            ["pactl", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STOP_S,
            check=True,
        )
        return done.stdout


@contextmanager
def pulse_server() -> Iterator[PulseServer]:
    """The server for the time of the context. Raises: PulseUnavailable."""
    if missing := [name for name in _PROGRAMS if shutil.which(name) is None]:
        raise PulseUnavailable(f"not installed: {', '.join(missing)}")
    # Not pytest's folder: the path of a socket has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="pulse-") as name, ExitStack() as stack:
        folder = Path(name)
        server = PulseServer(_environment(folder))
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--disable-shm=yes"]
        command += [
            "--fail=yes",
            f"--exit-idle-time={ALONE_S}",
            "--log-level=warn",
            "--log-target=stderr",
        ]
        modules = [f"module-native-protocol-unix auth-anonymous=1 socket={folder / 'native'}"]
        for module in (*modules, *_MODULES):
            command += ["-L", module]
        log = stack.enter_context((folder / "log").open("wb"))
        process = stack.enter_context(running(command, env=server.environment, stderr=log))
        _wait_until_ready(server, process, folder / "log")
        yield server


def _environment(folder: Path) -> dict[str, str]:
    (folder / "asound.conf").write_text(_ALSA)
    ours = {
        "HOME": folder,
        "XDG_RUNTIME_DIR": folder,
        "XDG_CONFIG_HOME": folder,
        "PULSE_RUNTIME_PATH": folder / "pulse",
        "PULSE_SERVER": f"unix:{folder / 'native'}",
        "ALSA_CONFIG_PATH": folder / "asound.conf",
    }
    return {**os.environ, **{name: str(value) for name, value in ours.items()}}


def _wait_until_ready(server: PulseServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            if "microphone" in server.pactl("list", "short", "sources"):
                return
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            time.sleep(0.02)
    said = log.read_text(errors="replace").strip().splitlines()
    errors = [line for line in said if line.startswith("E:")] or said or ["it says nothing"]
    raise PulseUnavailable(f"pulseaudio does not start here: {errors[0]}")


@contextmanager
def running(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: int | None = None,
    stdout: int | None = None,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
) -> Iterator["subprocess.Popen[bytes]"]:
    """A child process that is gone at the end of the context."""
    process = subprocess.Popen(
        command, env=dict(env), stdin=stdin, stdout=stdout, stderr=stderr, bufsize=0
    )
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Person:
    """Hears the virtual loudspeaker and speaks into the virtual microphone; `present` makes one.

    Both run on the server's clock in step, 20 ms at a time, so what is said and heard stand side by side; between the
    two lie the 60 ms that wait to be said and what the server holds.
    """

    def __init__(self, plan: CallerPlan, recorder: int, player: int) -> None:
        self._caller = PhoneCaller(plan, RATE_HZ)
        self._recorder = recorder
        self._player = player
        self._said: list[Int16] = []
        self._heard: list[Int16] = []
        self._stop = threading.Event()
        self.done = threading.Event()
        """Set when the person would hang up."""
        self._thread = threading.Thread(target=self._live, name="person", daemon=True)

    @property
    def said(self) -> Int16:
        """All that was said so far, 48 kHz."""
        return np.concatenate([silence(0), *self._said])

    @property
    def heard(self) -> Int16:
        """All that was heard so far; as long as `said`."""
        return np.concatenate([silence(0), *self._heard])

    @property
    def started(self) -> Sequence[Started]:
        """The turns so far, each with the sample at which it began."""
        return self._caller.started

    def begin(self) -> None:
        """Listen and speak, in a thread of its own."""
        os.write(self._player, bytes(2 * CHUNK * AHEAD_CHUNKS))
        self._thread.start()

    def end(self) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join(STOP_S)

    def _live(self) -> None:
        pending = b""
        while not self._stop.is_set():
            piece = os.read(self._recorder, 2 * CHUNK - len(pending))
            if not piece:
                return
            pending += piece
            if len(pending) == 2 * CHUNK:
                self._step(np.frombuffer(pending, np.int16))
                pending = b""

    def _step(self, heard: Int16) -> None:
        said = None if self.done.is_set() else self._caller.say(CHUNK)
        if said is None:
            self.done.set()
            said = silence(CHUNK)
        else:
            self._caller.hear(heard)
        self._said.append(said)
        self._heard.append(heard)
        os.write(self._player, said.tobytes())


@contextmanager
def present(server: PulseServer, plan: CallerPlan | None = None) -> Iterator[Person]:
    """A person in front of the devices, with recordings at 48 kHz; without a plan one who says nothing."""
    form = ["--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1"]
    form.append(f"--latency-msec={LATENCY_MS}")
    recorder = ["parec", "--device=loudspeaker.monitor", *form]
    player = ["pacat", "--playback", "--device=person", *form]
    with (
        running(recorder, env=server.environment, stdout=subprocess.PIPE) as ear,
        running(player, env=server.environment, stdin=subprocess.PIPE) as mouth,
    ):
        assert ear.stdout is not None
        assert mouth.stdin is not None
        person = Person(plan or CallerPlan(tail_s=3600), ear.stdout.fileno(), mouth.stdin.fileno())
        person.begin()
        try:
            yield person
        finally:
            person.end()


@pytest.fixture(scope="module")
def pulse() -> Iterator[PulseServer]:
    """A server for the tests of a module, which are skipped where there can be none."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(pulse_server())
        except PulseUnavailable as exc:
            pytest.skip(f"no PulseAudio: {exc}")
        yield server


def has_portaudio() -> bool:
    """Whether programs can use PortAudio; it is not loaded, as it would stay."""
    return find_spec("sounddevice") is not None and find_library("portaudio") is not None
