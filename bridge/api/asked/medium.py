"""Which medium was asked for, and whether this server serves it."""

from typing import Final

from bridge.api.problems import Problems
from bridge.api.schemas.base import seconds
from bridge.api.schemas.medium import CallMedium, WebSocketMedium
from bridge.calls.settings import MIN_MEDIA_IDLE_S, SAMPLE_RATES_HZ, ServerSocketMedium
from bridge.wire.messages import EnabledDataMessages

_ASK: Final = '{"serverWebSocket": {"inputSampleRate": 16000}}'
_OMITTED: Final = (
    "A call without a medium is a webRtc call, which this server does not serve: "
    f"ask for a medium, such as {_ASK}."
)
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


def medium_from(asked: CallMedium | None, problems: Problems) -> ServerSocketMedium:
    """The medium; what is wrong goes to `problems`, and then the result is of no use."""
    given = [name for name in _MEDIA if asked is not None and getattr(asked, name) is not None]
    if not given:
        problems.add(_OMITTED)
    if len(given) > 1:
        problems.add("At most one medium can be set.")
    for name in given:
        if name != "server_web_socket":
            problems.add(_NOT_SERVED, _MEDIA[name])
    if asked is None or asked.server_web_socket is None:
        return ServerSocketMedium()
    return _server_socket(asked.server_web_socket, problems.at("serverWebSocket"))


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


def _check_rate(rate_hz: int, problems: Problems, field: str) -> None:
    lowest, highest = SAMPLE_RATES_HZ[0], SAMPLE_RATES_HZ[-1]
    if not lowest <= rate_hz <= highest:
        problems.add(f"A rate from {lowest} to {highest} Hz is needed here.", field)
    elif rate_hz not in SAMPLE_RATES_HZ:
        rates = ", ".join(map(str, SAMPLE_RATES_HZ))
        problems.add(f"This rate is not supported: choose one of {rates}.", field)
