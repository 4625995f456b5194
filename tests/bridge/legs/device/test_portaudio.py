"""PortAudio's host against a library that a test makes: lists, streams, errors, and what may not be there."""

import asyncio
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bridge.errors import MissingExtra
from bridge.legs.device import portaudio
from bridge.legs.device.host import Device, DeviceError, StreamAsk, Trouble
from bridge.legs.device.portaudio import PortAudioHost, load_sounddevice
from bridge.legs.device.portaudio_errors import trouble_of
from bridge_codecs.pcm import Int16


class PortAudioError(Exception):
    """As the library's own."""


class Stream:
    """A stream of the library that calls only when a test says so."""

    def __init__(self, library: "Library", **asked: Any) -> None:
        self.asked = asked
        self.samplerate = asked["samplerate"] + 0.4
        self.active = False
        self.did: list[str] = []
        self._library = library
        library.wait()
        if library.error is not None:
            raise library.error
        library.streams.append(self)

    def start(self) -> None:
        self.active = True
        self.did.append("start")

    def abort(self) -> None:
        self.did.append("abort")

    def close(self) -> None:
        self.active = False
        self.did.append("close")


class Library:
    """What `sounddevice` looks like."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.streams: list[Stream] = []
        self.error: Exception | None = None
        self.restarts: list[str] = []
        self.default = SimpleNamespace(hostapi=1)
        self.wait: Callable[[], object] = lambda: None
        self.threads: set[int] = set()
        self.names = ["Mic", "Speaker"]

    def InputStream(self, **asked: Any) -> Stream:  # noqa: N802
        return Stream(self, **asked)

    OutputStream = InputStream

    def query_hostapis(self) -> list[Mapping[str, Any]]:
        self.threads.add(threading.get_ident())
        return [
            {"name": "OSS", "default_input_device": -1, "default_output_device": -1},
            {"name": "ALSA", "default_input_device": 0, "default_output_device": 1},
        ]

    def query_devices(self) -> list[Mapping[str, Any]]:
        return [
            {
                "index": index,
                "name": name,
                "hostapi": 1,
                "max_input_channels": 1 - index % 2,
                "max_output_channels": 2 * (index % 2),
                "default_samplerate": 44_100.0,
            }
            for index, name in enumerate(self.names)
        ]

    def _terminate(self) -> None:
        self.restarts.append("terminate")

    def _initialize(self) -> None:
        self.restarts.append("initialize")
        self.names.append("Plugged in")


MIC = Device(0, "Mic", "ALSA", 1, 0, 44_100, is_default_input=True)
ASK = StreamAsk(MIC, 44_100, 1, 441, 0.02)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library()
    monkeypatch.setattr(portaudio, "load_sounddevice", lambda: made)
    monkeypatch.setattr(portaudio, "_quieten_alsa", lambda: None)
    return made


@pytest.fixture
async def host(library: Library) -> Any:
    made = PortAudioHost()
    yield made
    await made.close()


def nothing(block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
    """A callback."""


async def test_devices_are_listed_with_the_systems_defaults(
    host: PortAudioHost, library: Library
) -> None:
    assert list(await host.devices()) == [
        MIC,
        Device(1, "Speaker", "ALSA", 0, 2, 44_100, is_default_output=True),
    ]
    assert threading.get_ident() not in library.threads


async def test_a_refresh_starts_portaudio_anew(host: PortAudioHost, library: Library) -> None:
    await host.devices()
    assert [device.name for device in await host.refresh()] == ["Mic", "Speaker", "Plugged in"]
    assert library.restarts == ["terminate", "initialize"]


async def test_no_device_at_all_is_a_sentence(host: PortAudioHost, library: Library) -> None:
    library.names.clear()
    with pytest.raises(DeviceError, match="there is no sound device") as caught:
        await host.devices()
    assert caught.value.trouble == "none"


async def test_a_stream_runs_as_asked_until_it_is_closed(
    host: PortAudioHost, library: Library
) -> None:
    stream = await host.open_input(ASK, nothing)
    raw = library.streams[0]
    assert {key: raw.asked[key] for key in ("samplerate", "blocksize", "device", "channels")} == {
        "samplerate": 44_100,
        "blocksize": 441,
        "device": 0,
        "channels": 1,
    }
    assert (stream.rate_hz, stream.channels, stream.active) == (44_100, 1, True)
    raw.active = False
    assert not stream.active
    await stream.close()
    await stream.close()
    assert raw.did == ["start", "abort", "close"]


@pytest.mark.parametrize("output", [False, True])
async def test_blocks_come_with_instants_of_the_loops_clock(
    host: PortAudioHost, library: Library, *, output: bool
) -> None:
    seen: list[tuple[int, float, float, bool]] = []

    def callback(block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
        seen.append((len(block), now_s, at_s, glitch))

    await (host.open_output if output else host.open_input)(ASK, callback)
    instants = SimpleNamespace(
        currentTime=1_000.0, inputBufferAdcTime=999.98, outputBufferDacTime=1_000.03
    )
    status = SimpleNamespace(input_overflow=not output, output_underflow=output)
    before_s = time.monotonic()
    library.streams[0].asked["callback"](np.zeros((441, 1), np.int16), 441, instants, status)
    n, now_s, at_s, glitch = seen[0]
    assert (n, glitch) == (441, True)
    assert before_s <= now_s <= time.monotonic()
    assert math.isclose(at_s - now_s, 0.03 if output else -0.02, abs_tol=1e-6)
    assert abs(now_s - asyncio.get_running_loop().time()) < 0.5


@pytest.mark.parametrize(
    ("args", "trouble"),
    [
        (("Device unavailable", -9985), "busy"),
        (("Invalid sample rate", -9997), "format"),
        (("Invalid number of channels", -9998), "format"),
        (("Sample format not supported", -9994), "format"),
        (("Invalid device", -9996), "gone"),
        (("host error", -9999, (0, -16, "Device or resource busy")), "busy"),
        (("host error", -9999, (0, -13, "Permission denied")), "denied"),
        (("host error", -9999, (0, -19, "No such device")), "gone"),
        (("host error", -9999, (0, -5, "I/O error")), "broken"),
        (("host error", -9999, ()), "broken"),
        (("No input device matching 7",), "broken"),
        ((), "broken"),
    ],
)
async def test_the_librarys_errors_are_sentences_with_a_kind(
    host: PortAudioHost, library: Library, args: tuple[Any, ...], trouble: Trouble
) -> None:
    assert trouble_of(args) == trouble
    library.error = PortAudioError(*args)
    with pytest.raises(DeviceError, match="Mic") as caught:
        await host.open_input(ASK, nothing)
    assert caught.value.trouble == trouble
    assert "PaErrorCode" not in str(caught.value)


async def test_a_stream_that_opens_when_nobody_waits_any_more_is_closed(
    host: PortAudioHost, library: Library
) -> None:
    go = threading.Event()
    library.wait = lambda: go.wait(5)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await host.open_input(ASK, nothing)
    go.set()
    await host.devices()  # the thread does things in order
    await asyncio.sleep(0.01)
    await host.devices()
    assert library.streams[0].did == ["start", "abort", "close"]


def _import_raises(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(name: str) -> Any:
        raise error

    monkeypatch.setattr(portaudio, "import_module", fail)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _import_raises(monkeypatch, ImportError("no module"))
    with pytest.raises(MissingExtra, match=r"pip install 'tipring\[talk\]'"):
        load_sounddevice()


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    _import_raises(monkeypatch, OSError("PortAudio library not found"))
    with pytest.raises(DeviceError, match="the library PortAudio: ") as caught:
        load_sounddevice()
    assert caught.value.trouble == "none"


def test_a_library_that_does_not_start_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    _import_raises(monkeypatch, RuntimeError("Error initializing PortAudio"))
    with pytest.raises(DeviceError, match="does not start"):
        load_sounddevice()


def test_nothing_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys; from bridge.legs.device.portaudio import PortAudioHost; PortAudioHost(); "
        "sys.exit('sounddevice' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
