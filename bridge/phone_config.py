"""The part of the configuration that is about phone calls: routes, limits, the AI side. The carriers stand beside it.

Strict about its own keys, like the rest of the file. What a route gives to the AI call is the API's own request body
and is passed on as it stands.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.config_table import Count, Seconds, Table, Url
from bridge.wire.carriers.base import CarrierName

REGEX: Final = "re:"
"""What a number pattern begins with that is a regular expression."""


def _is_pattern(text: str) -> str:
    if text.startswith(REGEX):
        try:
            re.compile(text.removeprefix(REGEX))
        except re.error as exc:
            raise ValueError(f"is no regular expression: {exc}") from None
    return text


def _is_prefix(text: str) -> str:
    if not re.fullmatch(r"\+\d{0,15}", text, re.ASCII):
        raise ValueError("must be the beginning of a number, such as +1 or +4930")
    return text


# The AI side


class AiConfig(Table):
    """Who serves the AI calls: the embedded call server, or an Ultravox-style API elsewhere."""

    base_url: Url | None = None
    """Of the API, without ``/api``; None: the embedded call server."""
    api_key: SecretStr | None = None
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "X-API-Key"
    silent_s: Seconds = 4.0
    """How long it may say nothing in a call, not even answer a ping, until it is lost and the fallback is heard."""


class FallbackConfig(Table):
    """What the caller gets when the AI side fails."""

    recording: Path | None = None
    """Any audio file; None: the one that ships."""
    transfer_to: str | None = None
    """A number or SIP address; None: the call is hung up."""


class DtmfConfig(Table):
    """What becomes of the keys a caller presses."""

    ignore: bool = False
    text: str = "{digits}"
    urgency: Literal["immediate", "soon", "later"] = "immediate"


class PhoneConfig(Table):
    """Limits and times of all phone calls."""

    max_calls: Count | None = None
    """At the same time; None: as many as the machine carries."""
    memory_share: Annotated[float, Field(gt=0, le=1)] = 0.85
    """Of the memory that the process may have: no new calls past it."""
    insecure: bool = False
    """Take calls that cannot be checked. For tests."""
    token_s: Seconds = 60.0
    """How long the carrier may take from our answer to its media socket."""
    start_s: Seconds = 10.0
    """How long it may take from there to the start of the stream."""
    setup_s: Seconds = 4.0
    """How long the AI call may take to be created, joined and to say its first message; then the fallback is heard."""
    max_duration_s: Seconds = 3_600.0
    """No call lasts longer, whatever anybody sends."""
    drain_s: Annotated[float, Field(ge=0, le=86_400)] = 3_600.0
    """How long calls may go on after SIGTERM."""
    fallback: FallbackConfig = FallbackConfig()


class OutgoingConfig(Table):
    """Phone calls that whoever has an API key may have placed. They cost money: none are, unless this says so."""

    enabled: bool = False
    prefixes: tuple[Annotated[str, AfterValidator(_is_prefix)], ...] = ()
    """What a called number has to begin with, such as +1 or +4930; a caller is sent to such numbers only, too."""
    max_calls: Count = 10
    """At the same time."""
    max_per_day: Count = 200
    """Within 24 hours, those included that nobody answers, and callers that are sent elsewhere."""


# Routes

CarrierPattern: TypeAlias = Literal["*", CarrierName]


class RouteConfig(Table):
    """Which calls go to which AI call; the first route that fits counts."""

    carrier: CarrierPattern = "*"
    number: Annotated[str, AfterValidator(_is_pattern)] = "*"
    """The called number: with ``*`` and ``?`` for any characters, or after ``re:`` a regular expression."""
    direction: Literal["inbound", "outbound", "any"] = "any"
    call: dict[str, object] = Field(default_factory=dict)
    """The body of the request that makes the AI call."""
    agent: str | None = None
    """Id of a stored agent of the API, whose request the body then is."""
    max_calls: Count | None = None
    """At the same time on this route; None: as many as there may be."""
    fallback: FallbackConfig | None = None
    """None: that of all calls."""
    tools: tuple[Literal["playDtmfSounds", "coldTransfer"], ...] = ()
    """What the agent can do to the phone call."""
    transfer_to: str | None = None
    """Where coldTransfer sends the caller; None: the agent says where, within what `outgoing` allows."""
    dtmf: DtmfConfig = DtmfConfig()

    @model_validator(mode="after")
    def _used(self) -> "RouteConfig":
        if self.transfer_to is not None and "coldTransfer" not in self.tools:
            raise ValueError("transfer_to is for the tool coldTransfer, which tools does not name")
        return self
