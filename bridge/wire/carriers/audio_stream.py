"""FreeSWITCH's mod_audio_stream, community edition: binary L16 from it, JSON with base64 to it.

Source: amigniter/mod_audio_stream, README.md and audio_streamer_glue.cpp, and its issues 56 and 87.

- The first text is metadata, if the FreeSWITCH application gave any; else the first audio opens the stream. The module
  sends 8 or 16 kHz and does not say which: metadata may (``sampleRate``, ``mixType``), else it is configured.
- Each ``streamAudio`` of ours becomes a file that the application has to play: a message holds as much as may be, which
  is 8 kB, since large messages cost the connection.
- There are no marks, and nothing that is on its way can be taken back. A digit comes only if the application forwards
  it. Closing the socket ends the stream; to hang up is the application's task.
"""

from binascii import b2a_base64
from typing import Final

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import MediaFormat, Message, Started, StartInfo, Traits
from bridge.wire.carriers.json_media import json_text
from bridge.wire.carriers.metadata import MetadataWire

LONGEST_TEXT: Final = 8_192
FRAME_MS: Final = 180
"""What fits into a message at 16 kHz, in whole frames of 20 ms."""
RATES_HZ: Final = (8_000, 16_000)


class AudioStreamWire(MetadataWire):
    """One socket of mod_audio_stream."""

    traits = Traits(
        "audio_stream",
        marks="none",
        clears=False,
        frame_ms=FRAME_MS,
        ahead_ms=2 * FRAME_MS,
        ends_by="close",
    )
    sender = "FreeSWITCH"
    _prefix = _suffix = ""

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError if it is empty, too long or half a sample."""
        n_bytes = len(payload)
        self._check_ours(n_bytes, LONGEST_TEXT)
        message = f"{self._prefix}{b2a_base64(payload, newline=False).decode()}{self._suffix}"
        if n_bytes % 2 or len(message) > LONGEST_TEXT:
            raise LocalWireError(
                f"{n_bytes} bytes of audio for FreeSWITCH: no samples, or too many"
            )
        return message

    def _start(self, info: StartInfo, heard: MediaFormat, played: MediaFormat) -> Started:
        if played.rate_hz not in RATES_HZ:
            raise self._guard.refuse(
                f"FreeSWITCH is to play audio at {played.rate_hz} Hz: not supported"
            )
        data = {"audioDataType": "raw", "sampleRate": played.rate_hz, "audioData": ""}
        self._prefix, self._suffix = json_text({"type": "streamAudio", "data": data})[:-3], '"}}'
        return super()._start(info, heard, played)
