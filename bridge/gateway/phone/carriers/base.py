"""What the desk needs of a carrier besides its media socket; one small class for each carrier.

A carrier with an answer step asks our answer URL what to do with a call, and gets a document, or is told by its REST
API. The others bring a call up by opening a media socket at an address that was configured at theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from bridge.gateway.phone.carriers.reading import said
from bridge.legs.phone_line import CarrierApi, PhoneLine
from bridge.wire.answers.answer import Answer
from bridge.wire.carriers.base import CarrierName, StartInfo
from bridge.wire.carriers.make import WireOptions
from bridge.wire.signatures.request import SignedRequest

Direction: TypeAlias = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Came:
    """A request that came, to be checked."""

    request: SignedRequest
    public_url: str
    """Under which the carrier reaches us, without the request's own path."""
    now_s: float
    """Unix seconds."""
    token: str = ""
    """What the path of a media socket ends with."""
    by_rest: bool = False
    """Whether the call was answered through the carrier's API."""


@dataclass(frozen=True, slots=True)
class PhoneNumbers:
    """Who calls whom, as the carrier writes it; empty where it does not say."""

    caller: str = ""
    called: str = ""
    direction: Direction = "inbound"


def direction_of(word: str) -> Direction:
    """What a carrier's word for it means: ``outbound``, ``outbound-api``, …; all else is inbound."""
    return "outbound" if word.startswith("outbound") else "inbound"


def numbers_in(form: Mapping[str, object]) -> PhoneNumbers:
    """Who calls whom, in the field names that Twilio began and Telnyx and Plivo share."""
    return PhoneNumbers(said(form, "From"), said(form, "To"), direction_of(said(form, "Direction")))


@dataclass(frozen=True, slots=True)
class CallComes:
    """A call for us to answer."""

    call_id: str
    """The carrier's."""
    numbers: PhoneNumbers
    account_id: str = ""
    """Empty where it is not said."""
    by_rest: bool = False
    """Whether it is answered through the carrier's API, not by a document."""
    once: bool = False
    """Whether it comes for the first time or not at all; else a call that goes on may be sent to us again."""


@dataclass(frozen=True, slots=True)
class CallMoved:
    """How far a call has come."""

    call_id: str
    status: str = ""
    """The carrier's own word for where the call stands; empty if this is not about that."""
    over: bool = False
    """Whether the phone call has ended, or will never be."""
    stream_failed: bool = False
    """Whether the carrier could not open the media socket, or lost it."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CallGoesTo:
    """A call that we have sent elsewhere: the carrier asks where."""

    target: str


@dataclass(frozen=True, slots=True)
class StreamIsOver:
    """A call whose media socket was closed: the carrier asks what to do with it."""

    call_id: str


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """A webhook that asks for nothing."""


News: TypeAlias = CallComes | CallMoved | CallGoesTo | StreamIsOver | NothingToDo
"""What a webhook says."""


@dataclass(frozen=True, slots=True)
class StreamTo:
    """Where the carrier shall open its media socket."""

    url: str
    """``wss://…`` with a token in its path."""
    status_url: str
    call_id: str
    """The carrier's."""
    next_url: str = ""
    """Where the carrier may ask what to do when the socket is closed; empty: nowhere."""
    parameters: Mapping[str, str] = field(default_factory=dict)


NOTHING: Final = NothingToDo()
AFTER_STREAM: Final = "after=stream"
"""The query of the answer URL where a carrier asks what to do with a call whose media socket was closed."""
OK: Final = Answer("", "text/plain; charset=utf-8")
"""The answer to a webhook that asks for nothing."""


class Carrier:
    """What all carriers share. What a carrier does not have says so by its answer."""

    name: CarrierName
    answers: bool = False
    """Whether it asks an answer URL."""
    subprotocol: str | None = None
    """What its media socket speaks, where it says so."""
    needs_token: bool = True
    """Whether a media socket has to bring a token of ours."""
    dated: bool = True
    """Whether what it signs tells when that was; else a signature is good for ever."""
    only_expected: bool = False
    """Whether a call that its socket brings up must be one that was announced under the id of its start."""
    tries_again: bool = False
    """Whether it opens its media socket a second time where the first came to no stream."""
    unchecked: bool = False
    """Whether nothing proves that a call that was not announced is the carrier's."""
    api: CarrierApi | None = None
    """Where there are credentials for one."""

    def __init__(self) -> None:
        self.wire_options = WireOptions()

    def subprotocol_for(self, offered: Sequence[str]) -> str | None:
        """Which of the offered subprotocols its media socket speaks."""
        return self.subprotocol if self.subprotocol in offered else None

    # Checks: None, or a sentence why not

    def check_webhook(self, came: Came) -> str | None:  # noqa: ARG002
        """Whether a webhook is the carrier's."""
        return "this carrier asks no answer URL"

    def check_upgrade(self, came: Came) -> str | None:  # noqa: ARG002
        """Whether a media socket that brings a good token is the carrier's."""
        return None

    def check_unannounced(self, came: Came) -> str | None:  # noqa: ARG002
        """Whether a media socket that brings no token of ours is the carrier's."""
        return "this carrier's media sockets need a token of ours"

    def once_key(self, request: SignedRequest) -> str:  # noqa: ARG002
        """What of a checked request comes once only; empty where nothing does."""
        return ""

    # Webhooks

    def read(self, request: SignedRequest) -> News:  # noqa: ARG002
        """What a webhook says. Raises: WebhookUnclear."""
        return NOTHING

    def stream(self, to: StreamTo) -> Answer:
        """Open a media socket there."""
        raise NotImplementedError

    def busy(self) -> Answer | None:
        """Refuse the call; None where no document can say so."""
        return None

    def transfer(self, target: str) -> Answer:
        """Send the caller elsewhere. Raises: UsageError."""
        raise NotImplementedError

    def after_stream(self, call_id: str) -> Answer:
        """What to do with a call whose media socket was closed."""
        raise NotImplementedError

    async def answer_by_rest(self, call_id: str, to: StreamTo) -> None:
        """Take a call through the API. Raises: CarrierApiError."""

    async def refuse_by_rest(self, call_id: str) -> None:
        """Refuse a call through the API. Raises: CarrierApiError."""

    # The phone call

    def line(self, call_id: str) -> PhoneLine | None:
        """The phone call, where there are credentials for the API."""
        return None if self.api is None else self.api.line(call_id)

    def line_of(self, comes: CallComes) -> PhoneLine | None:
        """The phone call that was answered, likewise."""
        return self.line(comes.call_id)

    def numbers_of(self, info: StartInfo) -> PhoneNumbers:
        """Who calls whom, of a call that was brought up by its socket; a dialplan may say it in parameters."""
        told = {**info.parameters, **info.more}
        caller, called = info.from_number or said(told, "from"), info.to_number or said(told, "to")
        return PhoneNumbers(caller, called, direction_of(said(told, "direction")))
