"""Genesys AudioHook and Audio Connector: binary audio, and sessions in numbered JSON messages.

Sources: purecloudlabs/audiohook-reference-implementation (app/audiohook/src); help.mypurecloud.com on Audio Connector.

- Genesys opens with what it offers; we answer with exactly one of its offers, and audio flows from then on. A
  conversation id of zeros only probes the connection: it is answered, and is no call.
- Binary is raw PCMU (or L16) at 8 kHz; of two channels the caller's is the first.
- Too many messages give error 429 with the time to wait: ours hold 200 ms, and none is sent until that time is over.
- It has no marks, but says when its playback has begun and ended (`genesys_playback.py`). The event ``barge_in`` drops
  what has not been played.
- Genesys closes, always: we ask for it with ``disconnect``, it says ``close``, we answer ``closed``.
"""

from typing import Final

from bridge.wire.carriers.base import (
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    Flow,
    Ignored,
    MarkReached,
    MediaFormat,
    Message,
    Reply,
    StartInfo,
    StopCause,
    Traits,
)
from bridge.wire.carriers.binary import LONGEST_MESSAGE, BinaryWire
from bridge.wire.carriers.fields import (
    ID_CHARS,
    NUMBER_CHARS,
    JsonObject,
    object_in,
    parameters,
    rest,
    text,
    words,
)
from bridge.wire.carriers.genesys_playback import Playback
from bridge.wire.carriers.genesys_session import VERSION, Session, choose, duration_ms
from bridge.wire.carriers.make import DEFAULTS, WireOptions

PROBE: Final = "00000000-0000-0000-0000-000000000000"
RETRY_AFTER_MS: Final = 3_000.0
"""To wait after a 429 that does not say how long."""

_OPEN_FIELDS: Final = frozenset(
    ("organizationId", "conversationId", "participant", "media", "inputVariables")
)


class GenesysWire(BinaryWire):
    """One AudioHook session."""

    traits = Traits(
        "genesys",
        marks="silent",
        clears=True,
        frame_ms=200,
        whole_frames=True,
        ahead_ms=600,
        ends_by="message",
    )
    sender = "Genesys"

    def __init__(self, options: WireOptions = DEFAULTS) -> None:
        super().__init__(options)
        self._session = Session()
        self._playback = Playback()
        self._end = ""  # why there was no call, once there will be none
        self._paused = False
        self._retry_at_s: float | None = None
        self._open = True  # what `Flow` has said
        self._s_per_byte_out = 0.0

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """A binary message of Genesys: the caller's audio."""
        events = super().receive_bytes(data, now_s)
        return events if self._retry_at_s is None else [*self._flow(now_s), *events]

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError if it is empty or too long."""
        self._check_ours(len(payload), LONGEST_MESSAGE)
        self._playback.sent(len(payload) * self._s_per_byte_out)
        return payload

    def mark(self, name: str) -> tuple[Message, ...]:
        """Nothing to send: playback tells of itself."""
        if self._live:
            self._playback.mark(name)
        return ()

    def clear(self) -> tuple[Message, ...]:
        """Drop what has not been played."""
        if not self._live:
            return ()
        self._playback.cleared()
        return (self._session.write("event", {"entities": [{"type": "barge_in", "data": {}}]}),)

    def hang_up(self) -> tuple[Message, ...]:
        """Ask Genesys to close; its flow goes on from there."""
        if not self._live:
            return ()
        return (self._session.write("disconnect", {"reason": "completed"}),)

    def _read(self, text: str, now_s: float) -> list[CarrierEvent]:
        message = self._json(text)
        if self._session.id and message.get("id") != self._session.id:
            return [self._guard.stray("a message of another session", now_s)]
        if not self._session.read(message):
            return [Ignored("late", "a message that came before")]
        given = message.get("parameters")
        return self._take(message, given if isinstance(given, dict) else {}, now_s)

    def _take(self, message: JsonObject, said: JsonObject, now_s: float) -> list[CarrierEvent]:
        match message.get("type"):
            case "open":
                return self._opened(message, said)
            case "ping":
                return [self._reply("pong", {}), *self._flow(now_s)]
            case "close":
                return self._closed(said)
            case kind if self._live:
                return self._event(kind, said, now_s)
            case kind:
                return [self._guard.early(f"a message before the opening: {words(kind)}")]

    def _opened(self, message: JsonObject, said: JsonObject) -> list[CarrierEvent]:
        self._check_not_started()
        if self._end:
            raise self._guard.refuse("Genesys opened a second time")
        if message.get("version") != VERSION:
            raise self._guard.refuse("Genesys speaks another version of AudioHook than 2")
        chosen = choose(said.get("media"))
        if said.get("conversationId") == PROBE:
            self._end = "a probe of the connection, and no call"
            return [self._accept([chosen[0]] if chosen else [])]
        if chosen is None:
            self._end = "Genesys offered no audio of the caller in PCMU or L16 at 8 kHz"
            return [self._reply("disconnect", {"reason": "error", "info": "no usable media"})]
        offer, heard = chosen
        played = MediaFormat(heard.encoding, heard.rate_hz)
        started = self._start(self._info(said), heard, played)
        self._s_per_byte_out = self._s_per_byte * heard.channels
        return [self._accept([offer]), started]

    def _accept(self, media: list[JsonObject]) -> CarrierEvent:
        return self._reply("opened", {"startPaused": False, "media": media})

    def _info(self, said: JsonObject) -> StartInfo:
        participant = object_in(said, "participant") if "participant" in said else {}
        return StartInfo(
            call_id=text(said.get("conversationId"), ID_CHARS),
            stream_id=self._session.id,
            account_id=text(said.get("organizationId"), ID_CHARS),
            from_number=text(participant.get("ani"), NUMBER_CHARS),
            to_number=text(participant.get("dnis"), NUMBER_CHARS),
            parameters=parameters(said.get("inputVariables")),
            more={**rest(said, _OPEN_FIELDS), "participant": participant},
        )

    def _closed(self, said: JsonObject) -> list[CarrierEvent]:
        reason = words(said.get("reason"))
        cause: StopCause = "caller_hung_up" if reason == "end" and self._live else "stopped"
        reply = self._reply("closed", {})
        return [reply, *self._guard.stop(cause, self._end or reason)]

    def _event(self, kind: object, said: JsonObject, now_s: float) -> list[CarrierEvent]:
        events: list[CarrierEvent] = []
        match kind:
            case "dtmf":
                events = [self._guard.digit(said.get("digit"), now_s)]
            case "playback_started":
                self._playback.started(now_s)
            case "playback_completed":
                events = [MarkReached(name) for name in self._playback.completed(now_s)]
            case "update":
                events = [self._reply("updated", {})]
            case "discarded":
                missing_ms = duration_ms(said.get("discarded"))
                events = [AudioMissing(missing_ms)] if missing_ms else []
            case "paused" | "resumed":
                self._paused = kind == "paused"
                events = self._flow(now_s)
            case "error":
                events = self._error(said, now_s)
            case _:
                events = [Ignored("unknown", words(kind))]
        return events

    def _error(self, said: JsonObject, now_s: float) -> list[CarrierEvent]:
        code = text(said.get("code"), 8)
        if code == "429":
            wait_ms = duration_ms(said.get("retryAfter")) or RETRY_AFTER_MS
            self._retry_at_s = now_s + wait_ms / 1_000
        warning = CarrierWarning(words(f"error {code}: {words(said.get('message'))}"))
        return [warning, *self._flow(now_s)]

    def _flow(self, now_s: float) -> list[CarrierEvent]:
        """Say whether audio may be sent, if that is new."""
        if self._retry_at_s is not None and now_s >= self._retry_at_s:
            self._retry_at_s = None
        if self._open == (is_open := not self._paused and self._retry_at_s is None):
            return []
        self._open = is_open
        return [Flow(is_open)]

    def _reply(self, kind: str, said: JsonObject) -> CarrierEvent:
        return Reply(self._session.write(kind, said))
