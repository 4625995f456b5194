"""The helper process in which espeak-ng speaks; run as a program, never imported by the bridge.

It loads the library and the voice once, then forks for each utterance: the library keeps state
from one utterance to the next, a fresh fork has none, so the same text gives the same samples
whatever was said before. It also keeps the GPL library out of the bridge's own process.

Both pipes carry frames: four bytes of length (little-endian), then JSON, and where its field
`n_bytes` says so that many bytes of mono s16le audio. First comes a greeting
`{"rate_hz", "version", "lasting"}` or `{"error"}`; each request `{"text"}` is answered with
`{"n_bytes", "marks"}`, marks being pairs of a character of the text and a sample. Where the
system cannot fork, `lasting` is false and the process ends after one utterance.
The library's names and event layout are those of its speak_lib.h, version 1.52.
"""

import ctypes
import json
import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import BinaryIO

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples come by callback, nothing is played
_CHARACTERS = 1  # POS_CHARACTER
_UTF8 = 1  # espeakCHARS_UTF8; without espeakSSML and espeakPHONEMES text is text
_RATE, _PITCH = 1, 3
_END_OF_LIST, _WORD_EVENT = 0, 1
_STOP, _GO_ON = 1, 0
_MOST_SECONDS = 180


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class _Engine:
    """The library with one voice set."""

    def __init__(self, voice: str, words_per_minute: int, pitch: int) -> None:
        import espeakng_loader  # noqa: PLC0415 - a missing library is answered, not raised

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = os.fsencode(espeakng_loader.get_data_path())
        self.rate_hz: int = self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0)
        if self.rate_hz <= 0:
            raise OSError("espeak-ng finds no voice data")
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise OSError(f"espeak-ng has no voice named {voice!r}")
        self._library.espeak_SetParameter(_RATE, words_per_minute, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._library.espeak_Info.restype = ctypes.c_char_p
        self.version = self._library.espeak_Info(None).decode("ascii", "replace")

    def speak(self, text: str) -> tuple[bytes, list[tuple[int, int]]]:
        audio = bytearray()
        marks: list[tuple[int, int]] = []
        n_most = 2 * _MOST_SECONDS * self.rate_hz

        def collect(samples: int | None, n_samples: int, events: "ctypes._Pointer[_Event]") -> int:
            if samples and n_samples > 0:
                audio.extend(ctypes.string_at(samples, 2 * n_samples))
            i = 0
            while events[i].type != _END_OF_LIST:
                if events[i].type == _WORD_EVENT:
                    marks.append((events[i].text_position - 1, events[i].sample))
                i += 1
            return _STOP if len(audio) > n_most else _GO_ON

        callback = _Callback(collect)  # held until the work is done
        self._library.espeak_SetSynthCallback(callback)
        encoded = text.encode()
        status = self._library.espeak_Synth(
            encoded, ctypes.c_size_t(len(encoded) + 1), 0, _CHARACTERS, 0, _UTF8, None, None
        )
        if status != 0:
            raise OSError(f"espeak-ng gives up with status {status}")
        return bytes(audio[:n_most]), marks


def _read(pipe: BinaryIO) -> dict[str, str] | None:
    head = pipe.read(4)
    if len(head) < 4:
        return None
    body = pipe.read(struct.unpack("<I", head)[0])
    request: dict[str, str] = json.loads(body)
    return request


def _write(pipe: BinaryIO, header: dict[str, object], audio: bytes = b"") -> None:
    body = json.dumps(header).encode()
    pipe.write(struct.pack("<I", len(body)) + body + audio)
    pipe.flush()


def _answer(engine: _Engine, text: str, pipe: BinaryIO) -> None:
    try:
        audio, marks = engine.speak(text)
    except OSError as error:
        _write(pipe, {"error": str(error)})
    else:
        _write(pipe, {"n_bytes": len(audio), "marks": marks}, audio)


def _in_fork(work: Callable[[], None]) -> bool:
    """Do the work in a copy of this process; False if the copy did not come through."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


def _serve(engine: _Engine, requests: BinaryIO, replies: BinaryIO) -> None:
    lasting = hasattr(os, "fork")
    greeting = {"rate_hz": engine.rate_hz, "version": engine.version, "lasting": lasting}
    _write(replies, greeting)
    while (request := _read(requests)) is not None:
        text = request["text"]
        if not lasting:
            _answer(engine, text, replies)
            return
        # A fork that died has left half a reply behind: only the end of the pipe is clear now.
        if not _in_fork(lambda text=text: _answer(engine, text, replies)):  # type: ignore[misc]
            return


def main() -> None:
    """Serve until the other end closes; the settings come as JSON in the one argument."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the library prints must not stand among the replies
    try:
        engine = _Engine(**json.loads(sys.argv[1]))
    except (ImportError, OSError) as error:
        _write(replies, {"error": str(error)})
        return
    _serve(engine, sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
