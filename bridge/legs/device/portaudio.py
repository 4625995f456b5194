"""PortAudio, by way of `sounddevice`: the sound system of Linux, macOS and Windows.

All that may wait (loading, listing, opening, closing) is done by one thread of its own. PortAudio learns of new
devices only when it is started anew, which ends all streams: hence `refresh`. The callbacks stamp each block with
``time.monotonic()``, which is the clock of ``loop.time()`` and may be read in any thread.
"""

import asyncio
import contextlib
import ctypes
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from time import monotonic
from typing import Any, Final, TypeVar

from bridge.errors import MissingExtra
from bridge.legs.device.host import Callback, Device, DeviceError, Stream, StreamAsk
from bridge.legs.device.packages import install_command, why_no_device
from bridge.legs.device.portaudio_errors import told
from bridge.legs.device.sound_thread import SoundThread
from bridge_codecs.pcm import Int16

T = TypeVar("T")


class PortAudioHost:
    """The sound system of this machine, a `HostApi`; nothing is loaded before it is asked for something.

    Errors of its methods, beside the DeviceError of each: MissingExtra when `sounddevice` is not installed.
    """

    def __init__(self) -> None:
        self._thread = SoundThread()
        self._library: Any = None

    async def devices(self) -> Sequence[Device]:
        """See HostApi."""
        return await self._do(self._listed)

    async def refresh(self) -> Sequence[Device]:
        """See HostApi."""
        return await self._do(self._listed_anew)

    async def open_input(self, ask: StreamAsk, callback: Callback) -> Stream:
        """See HostApi."""
        return await self._open("InputStream", ask, _for_input(callback))

    async def open_output(self, ask: StreamAsk, callback: Callback) -> Stream:
        """See HostApi."""
        return await self._open("OutputStream", ask, _for_output(callback))

    async def close(self) -> None:
        """See HostApi. PortAudio itself stays loaded, as everything that a process has imported."""
        self._thread.shutdown()

    async def _do(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    async def _open(self, kind: str, ask: StreamAsk, callback: Callable[..., None]) -> Stream:
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(self._thread, self._opened, kind, ask, callback)
        try:
            stream = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(self._close_late)
            raise
        return _PortAudioStream(stream, ask, self._thread)

    def _close_late(self, opening: "asyncio.Future[Any]") -> None:
        """Nobody waits for this stream any more."""
        if not opening.cancelled() and opening.exception() is None:
            self._thread.submit(_close, opening.result())

    def _loaded(self) -> Any:
        if self._library is None:
            self._library = load_sounddevice()
            _quieten_alsa()
        return self._library

    def _listed(self) -> Sequence[Device]:
        library = self._loaded()
        systems = library.query_hostapis()
        default = systems[library.default.hostapi] if systems else {}
        devices = [_device(entry, systems, default) for entry in library.query_devices()]
        if not devices:
            raise DeviceError(f"there is no sound device: {why_no_device()}", "none")
        return devices

    def _listed_anew(self) -> Sequence[Device]:
        library = self._loaded()
        # sounddevice has no public name for this, and its documentation names these two.
        library._terminate()  # noqa: SLF001
        library._initialize()  # noqa: SLF001
        return self._listed()

    def _opened(self, kind: str, ask: StreamAsk, callback: Callable[..., None]) -> Any:
        library = self._loaded()
        stream: Any = None
        try:
            stream = getattr(library, kind)(
                samplerate=ask.rate_hz,
                blocksize=ask.block,
                device=ask.device.index,
                channels=ask.channels,
                dtype="int16",
                latency=ask.latency_s,
                callback=callback,
            )
            stream.start()
        except (library.PortAudioError, ValueError) as error:
            if stream is not None:
                stream.close()
            raise told(error, ask.device) from None
        return stream


class _PortAudioStream:
    def __init__(self, stream: Any, ask: StreamAsk, thread: SoundThread) -> None:
        self.rate_hz = round(stream.samplerate)
        self.channels = ask.channels
        self._stream = stream
        self._thread = thread
        self._closed = False

    @property
    def active(self) -> bool:
        return not self._closed and bool(self._stream.active)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            closing = asyncio.get_running_loop().run_in_executor(self._thread, _close, self._stream)
            await asyncio.shield(closing)


def load_sounddevice() -> Any:
    """Import `sounddevice`, which starts PortAudio; takes some 0.1 s.

    Raises: MissingExtra without the package, DeviceError without the PortAudio library; each says what to install.
    """
    try:
        return import_module("sounddevice")
    except ImportError:
        raise MissingExtra(
            "sound devices need the package sounddevice: pip install 'tipring[talk]'"
        ) from None
    except OSError:
        command = install_command("portaudio")
        raise DeviceError(f"sound devices need the library PortAudio: {command}", "none") from None
    except Exception as error:  # noqa: BLE001 - PortAudio's own class is not there when loading it fails
        raise DeviceError(f"PortAudio does not start: {error}", "broken") from None


def _close(stream: Any) -> None:
    # abort, because stop waits until all is played.
    stream.abort()
    stream.close()


def _for_input(callback: Callback) -> Callable[..., None]:
    def heard(block: Int16, _n: int, time: Any, status: Any) -> None:
        now_s = monotonic()
        at_s = now_s + time.inputBufferAdcTime - time.currentTime
        callback(block, now_s, at_s, status.input_overflow)

    return heard


def _for_output(callback: Callback) -> Callable[..., None]:
    def wanted(block: Int16, _n: int, time: Any, status: Any) -> None:
        now_s = monotonic()
        at_s = now_s + time.outputBufferDacTime - time.currentTime
        callback(block, now_s, at_s, status.output_underflow)

    return wanted


def _device(entry: Mapping[str, Any], systems: Sequence[Any], default: Mapping[str, Any]) -> Device:
    index = int(entry["index"])
    return Device(
        index,
        str(entry["name"]),
        str(systems[entry["hostapi"]]["name"]),
        int(entry["max_input_channels"]),
        int(entry["max_output_channels"]),
        round(entry["default_samplerate"]),
        index == default.get("default_input_device"),
        index == default.get("default_output_device"),
    )


_Handler: Final = ctypes.CFUNCTYPE(
    None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p
)


def _say_nothing(_file: bytes, _line: int, _function: bytes, _error: int, _text: bytes) -> None:
    """Takes ALSA's complaints, which say nothing that our errors do not."""


_HANDLER: Final = _Handler(_say_nothing)


def _quieten_alsa() -> None:
    """ALSA writes to the terminal about every device it does not find, across whatever screen is there."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_HANDLER)
