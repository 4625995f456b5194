"""What is wrong with a route's AI call is said when the service starts, not when somebody calls.

The fields that we know must have the right form. For the embedded call server the body also goes the way that
``POST /api/calls`` takes, up to the call itself; an API elsewhere may know more than we do.
"""

import logging
from collections.abc import Iterator
from typing import Final, TypeAlias

from pydantic import ValidationError

from bridge.api.asked.call import settings_from
from bridge.api.bodies import fit
from bridge.api.problems import WHOLE
from bridge.api.refusal import Refused
from bridge.api.schemas.start_call import StartCallRequest
from bridge.calls.errors import InvalidSettings
from bridge.calls.service import CallService
from bridge.config import Config
from bridge.errors import ConfigError, did_you_mean
from bridge.gateway.phone.ai_call import PhoneFacts, ai_call, wants_webrtc
from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.phone_config import RouteConfig
from bridge.wire.carriers.base import StartInfo

log = logging.getLogger(__name__)

_ANYBODY: Final = PhoneFacts("twilio", "", PhoneNumbers(), StartInfo(""))
_RATE_HZ: Final = 8_000
_Said: TypeAlias = tuple[str, str]
"""The place in the body, empty for all of it, and what is wrong there."""


def check_routes(config: Config) -> None:
    """Each route says what the AI call is, in the API's own form.

    Raises: ConfigError.
    """
    for index, route in enumerate(config.routes):
        where = f"routes.{index}"
        if route.agent is None and not route.call:
            raise ConfigError(f"{where}: says neither call nor agent")
        if route.agent is not None and config.ai.base_url is None:
            raise ConfigError(
                f"{where}.agent: the embedded call server has no stored agents; "
                "write a call, or set ai.base_url"
            )
        if wants_webrtc(route) and config.ai.base_url is None:
            raise ConfigError(
                f"{where}.call.medium: calls of the embedded call server are joined in memory; "
                "leave webRtc out, or set ai.base_url"
            )
        if route.agent is None:
            _check_form(route, where)


def check_calls(config: Config, service: CallService) -> None:
    """The embedded call server would take the call of each route; fields that it does not know are named in the log.

    Raises: ConfigError.
    """
    if config.ai.base_url is not None:
        return
    for index, route in enumerate(config.routes):
        _name_unknown(route, f"routes.{index}")
        _check_call(route, f"routes.{index}", service)


def _check_form(route: RouteConfig, where: str) -> None:
    try:
        StartCallRequest.model_validate(route.call)
    except ValidationError as exc:
        error = exc.errors()[0]
        place = ".".join(map(str, error["loc"]))
        raise ConfigError(f"{where}.call.{place}: {error['msg']}") from None


def _name_unknown(route: RouteConfig, where: str) -> None:
    fields = StartCallRequest.model_fields
    known = [field.alias or name for name, field in fields.items()]
    for key in route.call:
        if key not in known and key not in fields:
            log.warning(
                "! %s.call: unknown field %r is ignored%s", where, key, did_you_mean(key, known)
            )


def _check_call(route: RouteConfig, where: str, service: CallService) -> None:
    """Whether the embedded call server would take the call of somebody on this route."""
    try:
        asked = fit(StartCallRequest, ai_call(route, _ANYBODY, _RATE_HZ).body)
        service.check(settings_from(asked, greeting_prompt=True))
    except Refused as exc:
        place, sentence = next(_said(exc.body), ("", str(exc)))
        raise ConfigError(f"{where}.call{place}: {sentence}") from None
    except InvalidSettings as exc:
        raise ConfigError(f"{where}.call.{exc.field}: {exc}") from None


def _said(said: object, place: str = "") -> Iterator[_Said]:
    """The sentences of a refusal with their places."""
    if isinstance(said, dict):
        for name, below in said.items():
            yield from _said(below, place if name == WHOLE else f"{place}.{name}")
    elif isinstance(said, list):
        yield from ((place, str(sentence)) for sentence in said)
