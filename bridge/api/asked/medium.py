"""Which medium was asked for, and whether this server serves it."""

from typing import Final

from bridge.api.problems import Problems
from bridge.api.schemas.base import seconds
from bridge.api.schemas.medium import (
    CallMedium,
    ExotelMedium,
    OutgoingRequestParams,
    TelephonyMedium,
    WebSocketMedium,
)
from bridge.api.schemas.medium import (
    DtmfHandling as AskedDtmf,
)
from bridge.calls.settings import (
    MIN_MEDIA_IDLE_S,
    SAMPLE_RATES_HZ,
    Dial,
    DtmfHandling,
    Medium,
    PhoneCarrier,
    PhoneMedium,
    ServerSocketMedium,
    WebRtcMedium,
)
from bridge.wire.messages import EnabledDataMessages
from bridge.wire.messages.client import Urgency

_ASK: Final = '{"webRtc": {}} or {"serverWebSocket": {"inputSampleRate": 16000}}'
_NOT_SERVED: Final = f"This server does not serve this medium: ask for {_ASK} instead."
_MEDIA: Final = {
    "web_rtc": "webRtc",
    "twilio": "twilio",
    "server_web_socket": "serverWebSocket",
    "telnyx": "telnyx",
    "plivo": "plivo",
    "exotel": "exotel",
    "sip": "sip",
}


_URGENCIES: Final[dict[str | None, Urgency]] = {
    "URGENCY_SOON": "soon",
    "URGENCY_LATER": "later",
}
_PHONES: Final[tuple[PhoneCarrier, ...]] = ("twilio", "telnyx", "plivo", "exotel")
_SERVED: Final = {"web_rtc", "server_web_socket", *_PHONES}
_NO_NUMBER: Final = "A telephone number is needed here."
_LONGEST_NUMBER: Final = 500


def medium_from(asked: CallMedium | None, problems: Problems) -> Medium:
    """The medium, webRtc if none is asked for; what is wrong goes to `problems`, and then the result is of no use."""
    given = [name for name in _MEDIA if asked is not None and getattr(asked, name) is not None]
    if len(given) > 1:
        problems.add("At most one medium can be set.")
    for name in given:
        if name not in _SERVED:
            problems.add(_NOT_SERVED, _MEDIA[name])
    if asked is not None and asked.server_web_socket is not None:
        return _server_socket(asked.server_web_socket, problems.at("serverWebSocket"))
    for carrier in _PHONES:
        phone = getattr(asked, carrier, None)
        if phone is not None:
            return _phone(carrier, phone, problems.at(carrier))
    messages = None if asked is None or asked.web_rtc is None else asked.web_rtc.data_messages
    return WebRtcMedium(EnabledDataMessages.for_carrier("web_rtc", messages))


def _server_socket(asked: WebSocketMedium, problems: Problems) -> ServerSocketMedium:
    output_hz = asked.output_sample_rate
    _check_rate(asked.input_sample_rate, problems, "inputSampleRate")
    if output_hz is not None:
        _check_rate(output_hz, problems, "outputSampleRate")
    idle = asked.media_idle_timeout
    return ServerSocketMedium(
        input_hz=asked.input_sample_rate,
        output_hz=asked.input_sample_rate if output_hz is None else output_hz,
        client_buffer_ms=asked.client_buffer_size_ms or 60,
        data_messages=EnabledDataMessages.for_carrier("server_web_socket", asked.data_messages),
        media_idle_timeout_s=None if idle is None else max(seconds(idle), MIN_MEDIA_IDLE_S),
    )


def _phone(
    carrier: PhoneCarrier, asked: TelephonyMedium | ExotelMedium, problems: Problems
) -> PhoneMedium:
    outgoing = asked.outgoing if isinstance(asked, TelephonyMedium) else None
    return PhoneMedium(
        carrier,
        _dtmf(asked.dtmf_handling, problems.at("dtmfHandling")),
        None if outgoing is None else _dial(outgoing, problems.at("outgoing")),
    )


def _dtmf(asked: AskedDtmf | None, problems: Problems) -> DtmfHandling:
    if asked is None:
        return DtmfHandling()
    message = asked.user_text_message
    if asked.ignore and message is not None:
        problems.add("Only one of ignore and userTextMessage can be set.")
    if message is None:
        return DtmfHandling(ignore=bool(asked.ignore))
    return DtmfHandling(
        text=message.text or DtmfHandling().text,
        urgency=_URGENCIES.get(message.urgency, "immediate"),
    )


def _dial(asked: OutgoingRequestParams, problems: Problems) -> Dial:
    for field, number in (("to", asked.to), ("from", asked.from_)):
        if not number or len(number) > _LONGEST_NUMBER or not number.isprintable():
            problems.add(_NO_NUMBER, field)
    return Dial(asked.to or "", asked.from_ or "", asked.additional_params or {})


def _check_rate(rate_hz: int, problems: Problems, field: str) -> None:
    lowest, highest = SAMPLE_RATES_HZ[0], SAMPLE_RATES_HZ[-1]
    if not lowest <= rate_hz <= highest:
        problems.add(f"A rate from {lowest} to {highest} Hz is needed here.", field)
    elif rate_hz not in SAMPLE_RATES_HZ:
        rates = ", ".join(map(str, SAMPLE_RATES_HZ))
        problems.add(f"This rate is not supported: choose one of {rates}.", field)
