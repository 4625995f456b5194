"""FreeSWITCH's mod_audio_fork with two-way audio: binary L16, and marks in JSON.

Sources: drachtio/drachtio-freeswitch-modules and jambonz/freeswitch-modules, mod_audio_fork (lws_glue.cpp for what it
does with what we send). Needs ``bidirectionalAudio`` with ``streaming``.

- The first text is metadata that the FreeSWITCH application gave; without any, the first audio opens the stream. The
  module does not say its rates: metadata may (``sampleRate``, ``mixType``), else they are configured.
- It holds back what we send until it has 640 samples (80 ms at 8 kHz), the last ones of an utterance too: so messages
  hold 80 ms, and the last is filled up.
- A mark is a sample of -1 in its buffer. Ours of that value would pass for marks, and become 0.
- ``killAudio`` drops the buffer and reports its marks as cleared; ``clearMarks`` would take that report away, so it is
  not sent. Marks after a clear may come late, by as many as were cleared.
- A digit comes only if the application forwards it. ``disconnect`` tells the application that we are done; to hang up
  is its task. ``transfer`` reaches it as the event ``mod_audio_fork::transfer``, with our ``data`` as its body: a
  ``target``. To connect the caller to that, and to stop the fork, is its task, too.
"""

from typing import Final

import numpy as np

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    MarkFlushed,
    MarkReached,
    Message,
    Traits,
)
from bridge.wire.carriers.binary import LONGEST_MESSAGE
from bridge.wire.carriers.fields import JsonObject, identifier, object_in
from bridge.wire.carriers.json_media import json_text
from bridge.wire.carriers.metadata import MetadataWire
from bridge_codecs.pcm import Int16

FRAME_MS: Final = 80
MARKER: Final = b"\xff\xff"

_KILL: Final = json_text({"type": "killAudio"})
_DISCONNECT: Final = json_text({"type": "disconnect"})


class AudioForkWire(MetadataWire):
    """One socket of mod_audio_fork."""

    traits = Traits(
        "audio_fork",
        marks="told",
        clears=True,
        frame_ms=FRAME_MS,
        whole_frames=True,
        ahead_ms=5 * FRAME_MS,
        ends_by="message",
        transfers=True,
    )
    sender = "FreeSWITCH"

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError if it is empty, too long or half a sample."""
        self._check_ours(len(payload), LONGEST_MESSAGE)
        if len(payload) % 2:
            raise LocalWireError(f"audio for {self.sender} ends inside a sample")
        return _without_markers(payload) if MARKER in payload else payload

    def mark(self, name: str) -> tuple[Message, ...]:
        """Ask to be told what becomes of the audio sent so far."""
        return (json_text({"type": "mark", "data": {"name": name}}),) if self._live else ()

    def clear(self) -> tuple[Message, ...]:
        """Drop what has not been played."""
        return (_KILL,) if self._live else ()

    def hang_up(self) -> tuple[Message, ...]:
        """Say that we are done."""
        return (_DISCONNECT,) if self._live else ()

    def transfer(self, target: str) -> tuple[Message, ...]:
        """Ask the application to connect the caller to somebody else."""
        told = {"type": "transfer", "data": {"target": target}}
        return (json_text(told),) if self._live else ()

    def _event(self, kind: object, message: JsonObject) -> CarrierEvent:
        if kind == "mark":
            return _mark(object_in(message, "data"))
        return super()._event(kind, message)


def _mark(said: JsonObject) -> CarrierEvent:
    name = identifier(said, "name")
    return MarkFlushed(name) if said.get("event") == "cleared" else MarkReached(name)


def _without_markers(payload: bytes) -> bytes:
    samples = np.frombuffer(payload, "<i2")
    without: Int16 = samples + (samples == -1)
    return without.tobytes()
