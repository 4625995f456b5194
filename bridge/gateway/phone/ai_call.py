"""The request that makes the AI call of a phone call: the route's body with the phone call laid in.

The caller's own rate is asked for, so that nothing has to be resampled where it can be had, and a client buffer of
30 s, because the carrier leg paces by itself (reference ultravox 2.4). What the route says itself stands; a route that
wants the medium ``webRtc`` gets that.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.legs.carrier.phone_tools import PRESS, TRANSFER
from bridge.phone_config import RouteConfig
from bridge.wire.agent_socket import Rates
from bridge.wire.carriers.base import CarrierName, StartInfo

JsonDict = dict[str, object]
CLIENT_BUFFER_MS: Final = 30_000
RATES_HZ: Final = (8_000, 16_000, 24_000, 48_000)
"""Rates that every API of this kind takes; of them the caller's own, or the next higher one."""
RESERVED: Final = "ultravox."
WEB_RTC: Final = "webRtc"
_TEMPLATES: Final = frozenset(
    {"systemPrompt", "languageHint", "timeExceededMessage", "inactivityMessages", "metadata"}
    | {"initialMessages", "firstSpeakerSettings", "initialState"}
)
"""Where names are filled in: what is said and thought, not where tools lie."""
_VARIABLE: Final = re.compile(r"\{\{\s*([\w.-]{1,128})\s*\}\}")


@dataclass(frozen=True, slots=True)
class PhoneFacts:
    """What the AI call is told of the phone call."""

    carrier: CarrierName
    call_id: str
    numbers: PhoneNumbers
    info: StartInfo

    def context(self) -> JsonDict:
        """For templates: ``{{from}}``, ``{{parameters.name}}``."""
        return {**self.plain(), "parameters": dict(self.info.parameters)}

    def plain(self) -> dict[str, str]:
        """Without what whoever opened the stream gave along; what is not known is left out."""
        known = {
            "carrier": self.carrier,
            "callId": self.call_id,
            "from": self.numbers.caller,
            "to": self.numbers.called,
            "direction": self.numbers.direction,
        }
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class AiCall:
    """An AI call to be made."""

    body: JsonDict
    agent: str | None
    rates: Rates
    """Of its audio as we send and hear it."""
    webrtc: bool = False
    """Whether it is joined over WebRTC."""


def ai_call(route: RouteConfig, facts: PhoneFacts, caller_hz: int, *, ours: bool = False) -> AiCall:
    """The request for this phone call.

    Args:
        route: which the phone call came in on.
        facts: of the phone call.
        caller_hz: rate of the carrier's audio, Hz.
        ours: our own server has it made: it tells what an agent that is cut off would have gone on to say.
    """
    body = dict(route.call)
    context = facts.context()
    if route.agent is None:
        body = _filled(body, _flat(context))
    else:
        body["templateContext"] = context | _table(body.get("templateContext"))
    body["metadata"] = _metadata(facts) | _table(body.get("metadata"))
    body["medium"], rates = _medium(body.get("medium"), caller_hz)
    if ours:
        body["medium"] = _with_events(body["medium"])
    if route.tools:
        _add_tools(body, route)
    return AiCall(body, route.agent, rates, webrtc=WEB_RTC in _table(body["medium"]))


def wants_webrtc(route: RouteConfig) -> bool:
    """Whether the route's AI calls are joined over WebRTC."""
    return WEB_RTC in _table(route.call.get("medium"))


def _table(value: object) -> JsonDict:
    return dict(value) if isinstance(value, Mapping) else {}


def _metadata(facts: PhoneFacts) -> JsonDict:
    """Text by name: the parameters of the stream, and what is known of the call, which no parameter replaces."""
    given = facts.info.parameters.items()
    told: JsonDict = {name: value for name, value in given if not name.startswith(RESERVED)}
    return told | facts.plain()


def _medium(asked: object, caller_hz: int) -> tuple[JsonDict, Rates]:
    """The medium and its rates."""
    rate_hz = next((rate for rate in RATES_HZ if rate >= caller_hz), RATES_HZ[-1])
    if WEB_RTC in _table(asked):
        return {WEB_RTC: _table(_table(asked)[WEB_RTC])}, Rates(rate_hz, rate_hz)
    socket = _table(_table(asked).get("serverWebSocket"))
    input_hz = _number(socket.get("inputSampleRate"), rate_hz)
    output_hz = _number(socket.get("outputSampleRate"), input_hz)
    buffer_ms = _number(socket.get("clientBufferSizeMs"), CLIENT_BUFFER_MS)
    medium: JsonDict = {
        **socket,
        "clientBufferSizeMs": min(buffer_ms, CLIENT_BUFFER_MS),  # more than we hold would be lost
        "inputSampleRate": input_hz,
        "outputSampleRate": output_hz,
    }
    return {"serverWebSocket": medium}, Rates(input_hz, output_hz)


def _with_events(medium: object) -> JsonDict:
    """The medium, whose data messages tell of events too, unless it says of itself whether they do."""
    return {
        kind: {**_table(table), "dataMessages": {"callEvent": True, **_messages(table)}}
        for kind, table in _table(medium).items()
    }


def _messages(table: object) -> JsonDict:
    return _table(_table(table).get("dataMessages"))


def _number(value: object, default: int) -> int:
    return value if isinstance(value, int) and value > 0 else default


# Templates: an API fills them for its stored agents only


def _flat(context: Mapping[str, object], before: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in context.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[before + name] = str(value)
    return flat


def _filled(value: JsonDict, known: Mapping[str, str]) -> JsonDict:
    return {
        name: _fill(each, known) if name in _TEMPLATES else each for name, each in value.items()
    }


def _fill(value: object, known: Mapping[str, str]) -> object:
    """A value with what is known put in for each ``{{name}}``; unknown names stay as they are."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), value)
    if isinstance(value, Mapping):
        return {name: _fill(each, known) for name, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, known) for each in value]
    return value


# Tools


def _add_tools(body: JsonDict, route: RouteConfig) -> None:
    """The telephone's tools; a stored agent gets them as an override."""
    added = [_TOOLS[name](route) for name in route.tools]
    if route.agent is not None:
        overrides = _table(body.get("toolOverrides"))
        body["toolOverrides"] = {**overrides, "add": [*_list(overrides.get("add")), *added]}
    else:
        body["selectedTools"] = [*_list(body.get("selectedTools")), *added]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _press(_route: RouteConfig) -> JsonDict:
    return _tool(
        PRESS,
        "Press keys on the telephone: the other side hears their tones.",
        [_text("digits", "The keys: 0-9, *, # and A-D.")],
    )


def _transfer(route: RouteConfig) -> JsonDict:
    what = "Transfer the caller to somebody else and leave the call."
    if route.transfer_to is None:
        number = "A telephone number with its country, such as +15550100."
        return _tool(TRANSFER, what, [_text("target", number)])
    fixed: JsonDict = {"name": "target", "location": _BODY, "value": route.transfer_to}
    return _tool(TRANSFER, what, [], [fixed])


_BODY: Final = "PARAMETER_LOCATION_BODY"
_TOOLS: Final = {PRESS: _press, TRANSFER: _transfer}


def _tool(
    name: str, description: str, dynamic: list[JsonDict], static: list[JsonDict] | None = None
) -> JsonDict:
    definition: JsonDict = {
        "modelToolName": name,
        "description": description,
        "dynamicParameters": dynamic,
        "staticParameters": static or [],
        "timeout": "20s",  # it happens behind what the agent has said
        "client": {},
    }
    return {"temporaryTool": definition}


def _text(name: str, description: str) -> JsonDict:
    schema = {"type": "string", "description": description}
    return {"name": name, "location": _BODY, "schema": schema, "required": True}
