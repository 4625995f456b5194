"""AudioHook's messages, the client's side (audiohook-reference-implementation, protocol version 2).

Each side numbers its own messages and repeats the other's last number. No audio flows before ``opened``, which picks
one of the media offered. Binary audio is bare; too many binary messages are error 429. It is the client that closes:
``close``, the application's ``closed``, then the socket; an application that wants to end says ``disconnect``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from bridge.testing.carriers.json_messages import BadMessage, Fields, read_object, text_of
from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.commands import Answer, Clear, Command, HangUp, Message, Play, StreamEnd, Wrong
from bridge.testing.playout import Playout
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16

MAX_MESSAGES_PER_S: Final = 10
BURST: Final = 40
"""Binary messages that may come at once before the limit counts."""
PING_S: Final = 5.0
CLOSED_S: Final = 5.0
_SERVER_TYPES: Final = frozenset(
    {
        "opened",
        "closed",
        "disconnect",
        "event",
        "pause",
        "pong",
        "reconnect",
        "resume",
        "updated",
    }
)


@dataclass(frozen=True, slots=True)
class Session:
    """What ``open`` says of the session."""

    session_id: str
    organization_id: str
    conversation_id: str
    participant_id: str
    from_number: str
    to_number: str
    stereo: bool
    input_variables: Mapping[str, str]


class GenesysMedia(PlainDialect):
    """One session.

    Args:
        session: what it is about.
        now: the loop's time.
    """

    said_hz = 8_000
    played_hz = 8_000

    def __init__(self, session: Session, now: Callable[[], float]) -> None:
        self._session = session
        self._now = now
        self._channels = 1
        self._seq = 0
        self._server_seq = 0
        self._n_samples = 0
        self._opened = False
        self._closed = False
        self._tokens = float(BURST)
        self._tokens_at_s = now()
        self._ping_at_s = now() + PING_S
        self._pings = 0
        self._playing = False

    @property
    def ready(self) -> bool:
        """Only once the application has opened."""
        return self._opened

    def opening(self) -> Sequence[Message]:
        """``open``, with the media offered."""
        session = self._session
        offers = [["external", "internal"], ["external"]] if session.stereo else [["external"]]
        media = [
            {"type": "audio", "format": "PCMU", "channels": channels, "rate": 8000}
            for channels in offers
        ]
        participant = {
            "id": session.participant_id,
            "ani": session.from_number,
            "aniName": "",
            "dnis": session.to_number,
        }
        parameters: dict[str, object] = {
            "organizationId": session.organization_id,
            "conversationId": session.conversation_id,
            "participant": participant,
            "media": media,
            "language": "en-US",
            "inputVariables": dict(session.input_variables),
        }
        return [self._message("open", parameters)]

    def said(self, samples: Int16) -> Sequence[Message]:
        """20 ms of mu-law; of two channels the external one is left."""
        self._n_samples += samples.size
        payload = encode_ulaw(samples)
        if self._channels == 2:
            silent = encode_ulaw(np.zeros_like(samples))
            pairs = np.empty(2 * samples.size, np.uint8)
            pairs[::2] = np.frombuffer(payload, np.uint8)
            pairs[1::2] = np.frombuffer(silent, np.uint8)
            payload = pairs.tobytes()
        return [payload]

    def key(self, digit: str) -> Sequence[Message]:
        """``dtmf``, as Audio Connector sends it."""
        return [self._message("dtmf", {"digit": digit})] if self._opened else []

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application."""
        if isinstance(message, bytes):
            return self._play(message)
        try:
            return self._read(read_object(message))
        except BadMessage as error:
            return [Wrong(str(error))]

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:  # noqa: ARG002 - there are none
        """A barge-in ends the playback."""
        return self._playback_over()

    def progress(self, playout: Playout) -> Sequence[Message]:
        """``playback_started`` and ``playback_completed``, and a ping now and then."""
        messages: list[Message] = []
        if playout.waiting and not self._playing:
            self._playing = True
            messages.append(self._message("playback_started", {}))
        elif not playout.waiting:
            messages.extend(self._playback_over())
        if self._now() >= self._ping_at_s:
            self._ping_at_s += PING_S
            self._pings += 1
            messages.append(self._message("ping", {}))
        return messages

    def closing(self, end: StreamEnd) -> Sequence[Message]:
        """``close``; the application answers ``closed``."""
        if self._closed:
            return ()
        reason = "end"
        if end.error:
            reason = "error"
        elif end.by == "application":
            reason = "disconnect"
        return [self._message("close", {"reason": reason})]

    def farewell_s(self, end: StreamEnd) -> float:  # noqa: ARG002 - always the same
        """How long ``closed`` is waited for."""
        return 0.0 if self._closed else CLOSED_S

    def _message(self, kind: str, parameters: Mapping[str, object]) -> str:
        self._seq += 1
        position = self._n_samples / self.said_hz
        message = {
            "version": "2",
            "id": self._session.session_id,
            "type": kind,
            "seq": self._seq,
            "serverseq": self._server_seq,
            "position": f"PT{position:g}S",
            "parameters": parameters,
        }
        return json.dumps(message)

    def _playback_over(self) -> Sequence[Message]:
        if not self._playing:
            return ()
        self._playing = False
        return [self._message("playback_completed", {})]

    def _read(self, fields: Fields) -> Sequence[Command]:
        kind = text_of(fields, "type", "protocol")
        wrong: list[Command] = [Wrong(sentence) for sentence in self._envelope_faults(fields)]
        if kind not in _SERVER_TYPES:
            raise BadMessage(f"AudioHook knows no “{kind[:40]}” message of a server.")
        given = fields.get("parameters")
        parameters: dict[str, Any] = given if isinstance(given, dict) else {}
        match kind:
            case "opened":
                return [*wrong, *self._open(parameters)]
            case "disconnect":
                reason = str(parameters.get("reason", ""))
                if reason not in ("completed", "unauthorized", "error"):
                    wrong.append(
                        Wrong("disconnect has a reason: completed, unauthorized or error.")
                    )
                return [*wrong, HangUp(f"it disconnected ({reason})")]
            case "closed":
                self._closed = True
            case "event":
                return [*wrong, *_entities(parameters)]
            case "pong":
                self._pings = 0
        return wrong

    def _envelope_faults(self, fields: Fields) -> Sequence[str]:
        faults = []
        if self._pings > 1 and fields.get("type") != "pong":
            faults.append("A ping was not answered with a pong before the next one was due.")
        seq = fields.get("seq")
        if seq != self._server_seq + 1:
            faults.append(f"A message has seq {seq} where {self._server_seq + 1} is due.")
        self._server_seq = seq if isinstance(seq, int) else self._server_seq + 1
        client_seq = fields.get("clientseq")
        if not isinstance(client_seq, int) or not 0 < client_seq <= self._seq:
            faults.append(
                "A message's clientseq is not the number of one of the client's messages."
            )
        if fields.get("version") != "2" or fields.get("id") != self._session.session_id:
            faults.append("A message does not carry version 2 and this session's id.")
        return faults

    def _open(self, parameters: Mapping[str, Any]) -> Sequence[Command]:
        media = parameters.get("media")
        chosen = media[0] if isinstance(media, list) and len(media) == 1 else None
        channels = chosen.get("channels") if isinstance(chosen, dict) else None
        offered = (
            [["external"], ["external", "internal"]] if self._session.stereo else [["external"]]
        )
        if channels not in offered:
            return [Wrong("opened.media is not exactly one of the media offered.", "bad media")]
        self._channels = len(channels)
        self._opened = True
        return []

    def _play(self, payload: bytes) -> Sequence[Command]:
        if not self._opened:
            return [Wrong("Audio came before the session was opened.")]
        now_s = self._now()
        refilled = self._tokens + (now_s - self._tokens_at_s) * MAX_MESSAGES_PER_S
        self._tokens, self._tokens_at_s = min(float(BURST), refilled), now_s
        if self._tokens < 1:
            error = {"code": 429, "message": "Rate limit exceeded", "retryAfter": "PT3S"}
            sentence = (
                f"More than {MAX_MESSAGES_PER_S} binary messages a second: Genesys answers with error 429. Send "
                "100 ms or more in one."
            )
            return [Wrong(sentence), Answer(self._message("error", error))]
        self._tokens -= 1
        return [Play(decode_ulaw(payload))]


def _entities(parameters: Mapping[str, Any]) -> Sequence[Command]:
    entities = parameters.get("entities")
    if not isinstance(entities, list):
        return [Wrong("An event message has no list of entities.")]
    kinds = [entity.get("type") for entity in entities if isinstance(entity, dict)]
    return [Clear() for kind in kinds if kind == "barge_in"]
