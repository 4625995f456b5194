"""Telnyx's part of a call under Call Control: signed events, commands by REST, the media socket.

Sources: developers.telnyx.com/docs/voice/programmable-voice, api-reference call commands; reference telephony
section 2. A call stays up when its stream ends: it waits for commands.
"""

import base64
import json
import random
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, cast, get_args

from bridge.clock import rfc3339
from bridge.testing.audio_codecs import CodecName
from bridge.testing.call_parts import CallFacts, Opened, Refused, Status
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import (
    DEFAULT_NUMBERS,
    Account,
    Carrier,
    Numbers,
    World,
)
from bridge.testing.carriers.telnyx.media import Format, StartFacts, TelnyxMedia
from bridge.testing.carriers.telnyx.rest import make_app
from bridge.testing.carriers.telnyx.stream_fields import stream_of
from bridge.testing.commands import StreamEnd
from bridge.testing.phone_call import PhoneCall
from bridge.testing.signing import telnyx as signing
from bridge.testing.verbs import Dial, Redirect, Stream, Verb
from bridge.testing.webhook import Webhook, WebhookFailed
from bridge_codecs.l16 import ByteOrder

AUTH_HEADER: Final = "x-telnyx-streaming-auth-token"
TEST_KEY: Final = base64.b64encode(b"tipring carrier emulator, telnyx").decode()
"""The private key of the test account: 32 bytes that everybody knows."""
_CODECS: Final = get_args(CodecName)
_CAUSES: Final[Mapping[Status, str]] = {
    "busy": "user_busy",
    "no-answer": "timeout",
    "canceled": "originator_cancel",
    "failed": "call_rejected",
}
_RATES: Final = ("8000", "16000", "22050", "24000", "48000")


class Telnyx(Carrier):
    """Telnyx with one account: `token` is the API key, ``more["private_key"]`` signs the webhooks."""

    name = "telnyx"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {"byteorder": ("big", "little")}

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self.app = make_app(self)
        self.hints = [
            f"Webhooks are signed; the public key to check them with is {self.public_key}"
        ]

    @property
    def private_key(self) -> str:
        """What webhooks are signed with, base64."""
        return self.account.more.get("private_key", TEST_KEY)

    @property
    def public_key(self) -> str:
        """What the application checks them with, base64."""
        return signing.public_key(self.private_key)

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call to a number of the application whose events go to this URL."""
        return self.add(self.facts("inbound", numbers, {"webhook_url": url}), plan)

    def facts(self, direction: str, numbers: Numbers, more: Mapping[str, str]) -> CallFacts:
        """A new call's facts, with all the ids Telnyx gives it."""
        ids = self.world.ids
        return CallFacts(
            call_id="v3:" + ids.token(),
            direction="inbound" if direction == "inbound" else "outbound",
            from_number=numbers.from_number,
            to_number=numbers.to_number,
            more={"leg": ids.uuid(), "session": ids.uuid(), **more},
        )

    # See Exchange

    def waits(self, call: PhoneCall) -> bool:  # noqa: ARG002 - all of them do
        """Call Control: a call ends by a command, or by somebody hanging up."""
        return True

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """``call.initiated``; then commands tell what to do. An outgoing call rings and opens its stream."""
        await self.event(call, "call.initiated", {"state": "parked"}, needed=True)
        if call.facts.direction == "inbound":
            call.status = "ringing"
            return []
        if not await self.ring(call):
            return []
        await call.answered()
        stream = stream_of(call.facts.more)
        return [] if stream is None else [stream]

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:  # noqa: ARG002
        """Call Control knows no documents."""
        return []

    async def told(self, call: PhoneCall, status: Status) -> None:
        """``call.answered`` and ``call.hangup``."""
        if status == "in-progress":
            await self.event(call, "call.answered", {})
        elif call.is_over:
            end = call.end
            source = "callee" if end is not None and end.by == "application" else "caller"
            cause = _CAUSES.get(status, "normal_clearing")
            await self.event(call, "call.hangup", {"hangup_cause": cause, "hangup_source": source})

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """Open the stream's socket, with the token that the application asked for."""
        options = stream.options
        if not stream.url.startswith(("wss://", "ws://")):
            return Refused("The stream's URL is no wss:// address.", "invalid_url")
        if stream.url.startswith("ws://"):
            call.log.remark("The stream's URL is ws://: only for tests on one machine.")
        audio = self._format(call, options)
        if isinstance(audio, Refused):
            return audio
        token = options.get("stream_auth_token", "")
        socket = await self.dial_out(call, stream.url, {AUTH_HEADER: token} if token else {})
        if isinstance(socket, Refused):
            return socket
        stream_id = self.world.ids.uuid()
        facts = self._start_facts(call, stream, stream_id)
        world = self.world
        shuffle = None if world.profile.name == "clean" else random.Random(f"{world.seed} shuffle")  # noqa: S311
        media = TelnyxMedia(facts, audio, shuffle, lambda: rfc3339(world.clock()))
        return Opened(socket, media, stream_id)

    async def stream_told(
        self, call: PhoneCall, stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """``streaming.started``, ``streaming.stopped`` or ``streaming.failed``."""
        event = "streaming.started" if end is None else "streaming.stopped"
        more: dict[str, object] = {"stream_id": stream_id, "stream_url": stream.url}
        if end is not None and (end.error or not stream_id):
            event = "streaming.failed"
            more["failure_reason"] = end.error or "connection_failed"
        await self.event(call, event, more)

    def transfer(self, call: PhoneCall, target: str) -> None:
        """Call Control connects the caller to somebody else: what was done for the call ends."""
        call.order([Dial(target)])

    # Inside

    async def event(
        self, call: PhoneCall, event_type: str, more: Mapping[str, object], *, needed: bool = False
    ) -> None:
        """Send a signed event. Raises: WebhookFailed if it is `needed` and not taken."""
        facts = call.facts
        url = facts.more.get("webhook_url", "")
        if not url:
            return
        payload = {
            "call_control_id": facts.call_id,
            "call_leg_id": facts.more["leg"],
            "call_session_id": facts.more["session"],
            "connection_id": self.account.account_id,
            "client_state": facts.more.get("client_state"),
            "from": facts.from_number,
            "to": facts.to_number,
            "direction": "incoming" if facts.direction == "inbound" else "outgoing",
            **more,
        }
        now = self.world.clock()
        data = {
            "event_type": event_type,
            "id": self.world.ids.uuid(),
            "occurred_at": rfc3339(now),
            "payload": payload,
            "record_type": "event",
        }
        body = json.dumps({"data": data, "meta": {"attempt": 1, "delivered_to": url}}).encode()
        headers = signing.sign(self.private_key, int(now.timestamp()), body)
        webhook = Webhook(url, "POST", body, {"Content-Type": "application/json", **headers})
        answer = await self.tell(call, event_type, webhook)
        if needed and (answer is None or answer.status >= 300):
            raise WebhookFailed(f"{event_type} was not taken")

    def _format(self, call: PhoneCall, options: Mapping[str, str]) -> Format | Refused:
        """The audio's format. Codec names are case-sensitive; mode and legs have defaults that play nothing."""
        codec = options.get("stream_codec", "default")
        back = options.get("stream_bidirectional_codec", "PCMU")
        rate = options.get("stream_bidirectional_sampling_rate", "8000")
        codec = "PCMU" if codec == "default" else codec
        if codec not in _CODECS or back not in _CODECS:
            wrong = codec if codec not in _CODECS else back
            return Refused(
                f"Telnyx knows no codec “{wrong}” here: {', '.join(_CODECS)}.", "invalid_codec"
            )
        if rate not in _RATES:
            call.log.problem(f"Telnyx knows no sampling rate {rate}: {', '.join(_RATES)}.")
            rate = "8000"
        return Format(
            codec=cast("CodecName", codec),
            back=cast("CodecName", back),
            back_hz=int(rate),
            mode=options.get("stream_bidirectional_mode", "mp3"),
            target_legs=options.get("stream_bidirectional_target_legs", "opposite"),
            byteorder=cast("ByteOrder", self.option("byteorder")),
        )

    def _start_facts(self, call: PhoneCall, stream: Stream, stream_id: str) -> StartFacts:
        more = call.facts.more
        return StartFacts(
            stream_id=stream_id,
            user_id=self.account.account_id,
            call_control_id=call.facts.call_id,
            call_session_id=more["session"],
            from_number=call.facts.from_number,
            to_number=call.facts.to_number,
            client_state=more.get("client_state", ""),
            auth_token=stream.options.get("stream_auth_token", ""),
            parameters=dict(stream.parameters),
        )
