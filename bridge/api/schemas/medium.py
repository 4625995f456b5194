"""How the caller is joined to the call: one carrier out of seven, and what each may ask for."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from bridge.api.schemas.base import ApiModel, Duration, Int32, JsonObject
from bridge.wire.messages import EnabledDataMessages

Urgency: TypeAlias = Literal[
    "URGENCY_UNSPECIFIED", "URGENCY_IMMEDIATE", "URGENCY_SOON", "URGENCY_LATER"
]

_UNKNOWN: Final = "There is no such medium; known: {known}"


class WebRtcMedium(ApiModel):
    """A browser or app with the vendor's client SDK."""

    data_messages: EnabledDataMessages | None = None


class WebSocketMedium(ApiModel):
    """A plain WebSocket: s16le audio in binary frames, data messages in text frames."""

    input_sample_rate: Int32
    output_sample_rate: Int32 | None = None
    client_buffer_size_ms: Annotated[Int32, Field(ge=1, le=60_000)] | None = None
    data_messages: EnabledDataMessages | None = None
    media_idle_timeout: Duration | None = None


class OutgoingRequestParams(ApiModel):
    """A telephone call for the carrier to place."""

    to: str | None = None
    from_: str | None = Field(None, alias="from")
    additional_params: JsonObject | None = None


class DtmfUserTextMessage(ApiModel):
    """DTMF digits turned into a user text message."""

    text: str | None = None
    urgency: Urgency | None = None


class DtmfHandling(ApiModel):
    """What becomes of DTMF digits in a telephone call."""

    ignore: bool | None = None
    user_text_message: DtmfUserTextMessage | None = None


class TelephonyMedium(ApiModel):
    """A carrier's media stream that may place the call itself: Twilio, Telnyx, Plivo."""

    outgoing: OutgoingRequestParams | None = None
    dtmf_handling: DtmfHandling | None = None


class ExotelMedium(ApiModel):
    """Exotel's media stream."""

    dtmf_handling: DtmfHandling | None = None


class SipIncoming(ApiModel):
    """A SIP call that comes in."""


class SipOutgoing(ApiModel):
    """A SIP call that goes out."""

    to: str | None = None
    from_: str | None = Field(None, alias="from")
    username: str | None = None
    password: str | None = None


class SipMedium(ApiModel):
    """A SIP call, either way."""

    incoming: SipIncoming | None = None
    outgoing: SipOutgoing | None = None


class CallMedium(ApiModel):
    """At most one carrier; none means webRtc."""

    web_rtc: WebRtcMedium | None = None
    twilio: TelephonyMedium | None = None
    server_web_socket: WebSocketMedium | None = None
    telnyx: TelephonyMedium | None = None
    plivo: TelephonyMedium | None = None
    exotel: ExotelMedium | None = None
    sip: SipMedium | None = None

    @model_validator(mode="before")
    @classmethod
    def _has_known(cls, given: Any) -> Any:
        """Unknown names pass beside a known one; alone they would look as if no medium was asked for."""
        if not isinstance(given, dict):
            return given
        names = {each for name, field in cls.model_fields.items() for each in (name, field.alias)}
        asked = {name for name, value in given.items() if value is not None}
        if asked and not asked & names:
            known = ", ".join(str(field.alias) for field in cls.model_fields.values())
            raise PydanticCustomError("medium_unknown", _UNKNOWN, {"known": known})
        return given
