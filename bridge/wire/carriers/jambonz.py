"""jambonz ``listen`` (and ``stream``) with two-way audio: binary L16, and marks in JSON.

Sources: docs.jambonz.org/verbs/verbs/listen; jambonz/next-static-site, markdown/docs/webhooks/listen.md;
jambonz/jambonz-feature-server, lib/tasks/listen.js. Underneath is mod_audio_fork (`audio_fork.py`): what is said there
of marks, of 80 ms and of samples of -1 holds here. Needs ``bidirectionalAudio`` with ``streaming``.

- The first text has the attributes of the call, ``sampleRate`` and ``mixType``, with the verb's ``metadata`` among
  them. The rate of ``bidirectionalAudio`` is not in it: where it is another one, it has to be configured
  (``carriers.jambonz.output_rate_hz``).
- Keys come only with ``passDtmf``.
- ``disconnect`` ends the verb; the application goes on with the next one, and hangs up if there is none.
"""

from typing import Final

from bridge.wire.carriers.audio_fork import AudioForkWire
from bridge.wire.carriers.base import CarrierEvent, Traits
from bridge.wire.carriers.metadata import ACCOUNT_IDS, CALL_IDS, FROM_NUMBERS, TO_NUMBERS, info_of

ATTRIBUTES: Final = frozenset(
    (
        *CALL_IDS,
        *ACCOUNT_IDS,
        *FROM_NUMBERS,
        *TO_NUMBERS,
        "apiBaseUrl",
        "applicationSid",
        "callStatus",
        "callerName",
        "direction",
        "fsPublicIp",
        "fsSipAddress",
        "localSipAddress",
        "mixType",
        "originatingSipIp",
        "originatingSipTrunkName",
        "parentCallSid",
        "sampleRate",
        "serviceProviderSid",
        "sipReason",
        "sipStatus",
        "traceId",
    )
)
"""What jambonz itself says of a call; anything else is the verb's metadata."""


class JambonzWire(AudioForkWire):
    """One socket of a listen verb."""

    traits = Traits(
        "jambonz",
        marks="told",
        clears=True,
        frame_ms=AudioForkWire.traits.frame_ms,
        whole_frames=True,
        ahead_ms=AudioForkWire.traits.ahead_ms,
        ends_by="message",
    )
    sender = "jambonz"

    def _opened_by_text(self, text: str) -> CarrierEvent:
        said = self._json(text)
        return self._open(info_of(said, ATTRIBUTES), said)

    def _opened_by_audio(self) -> list[CarrierEvent]:
        return []
