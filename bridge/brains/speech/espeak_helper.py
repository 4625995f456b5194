"""The helper process in which espeak-ng speaks; run as a program, never imported by the bridge.

It loads the library and the voice once, then forks for each utterance: the library keeps state
from one utterance to the next, a fresh fork has none, so the same text gives the same samples
whatever was said before. It also keeps the GPL library out of the bridge's own process.

The frames are those of `helper_program`: after the greeting `{"rate_hz", "version", "lasting"}`
each request `{"text"}` is answered with `{"marks"}` and mono s16le audio, marks being pairs of a
character of the text and a sample. Where the system cannot fork, `lasting` is false and the
process ends after one utterance.
The library's names and event layout are those of its speak_lib.h, version 1.52.
"""

import ctypes
import json
import os
import sys
from functools import partial
from typing import BinaryIO

from bridge.brains.speech.helper_program import in_fork, open_pipes, read, write

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


def _answer(engine: _Engine, text: str, pipe: BinaryIO) -> int:
    try:
        audio, marks = engine.speak(text)
    except OSError as error:
        write(pipe, {"error": str(error)})
    else:
        write(pipe, {"marks": marks}, audio)
    return 0


def _serve(engine: _Engine, requests: BinaryIO, replies: BinaryIO) -> None:
    lasting = hasattr(os, "fork")
    greeting = {"rate_hz": engine.rate_hz, "version": engine.version, "lasting": lasting}
    write(replies, greeting)
    while (request := read(requests)) is not None:
        answer = partial(_answer, engine, request[0]["text"], replies)
        if not lasting:
            answer()
            return
        # A fork that died has left half a reply behind: only the end of the pipe is clear now.
        if in_fork(answer) != 0:
            return


def main() -> None:
    """Serve until the other end closes; the settings come as JSON in the one argument."""
    requests, replies = open_pipes()
    try:
        engine = _Engine(**json.loads(sys.argv[1]))
    except (ImportError, OSError) as error:
        write(replies, {"error": str(error)})
        return
    _serve(engine, requests, replies)
