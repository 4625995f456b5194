"""What whoever starts the service should know of its phone calls: where carriers are pointed, and what is refused."""

from collections.abc import Iterator
from typing import Final

from bridge.carrier_config import ExchangeConfig
from bridge.config import Config, published
from bridge.gateway.public_url import PublicUrl

_ANSWERING: Final = frozenset({"twilio", "telnyx", "plivo", "vonage"})
"""Carriers that ask at an address what to do with a call; the others open their media socket at once."""
_NO_API: Final = (
    "WITHOUT credentials for the API of {names}: these calls cannot be placed, sent elsewhere or hung up by a request; "
    "they end when their socket is closed."
)
_CALL_CONTROL: Final = " Telnyx's Call Control calls cannot be answered at all; TeXML's can."
_PLACES_ONLY: Final = "exotel"
"""Whose API can do nothing to a call that is up."""
_NO_PLACING: Final = (
    "WITHOUT credentials for the API of exotel (carriers.exotel.{key}): its calls cannot be placed; those that come in "
    "need none."
)
_NOWHERE: Final = (
    "EVERY coldTransfer of {which} is refused: without a transfer_to there the agent says where, within what "
    "[outgoing] allows, and outgoing.enabled is not set."
)
_NO_ROUTE: Final = "EVERY phone call that comes in is refused: the configuration has no [[routes]]."


def phone_notes(config: Config, url: str) -> Iterator[str]:
    """A sentence for each carrier, and others for what is amiss: routes, credentials, transfers, an example's secret.

    Args:
        config: of the whole service.
        url: under which it is served, unless ``server.public_url`` says otherwise.
    """
    names = [*config.carriers.there(), *(["audiosocket"] if config.audiosocket is not None else [])]
    if key := published(config):
        yield f"EVERYBODY can read the example's {key}: put your own there before others reach this service."
    if names and not config.routes:
        yield _NO_ROUTE
    yield from _without_api(config)
    if names:
        yield from _without_transfers(config)
    for name in names:
        yield f"{name}: {_pointed(config, name, PublicUrl(config.server.public_url or url))}"


def _without_api(config: Config) -> Iterator[str]:
    tables = config.carriers.there()
    lacking = {name: lacks for name, each in tables.items() if (lacks := each.lacks_api())}
    if key := lacking.pop(_PLACES_ONLY, None):
        yield _NO_PLACING.format(key=key)
    if lacking:
        names = ", ".join(f"{name} (carriers.{name}.{key})" for name, key in lacking.items())
        yield _NO_API.format(names=names) + (_CALL_CONTROL if "telnyx" in lacking else "")


def _without_transfers(config: Config) -> Iterator[str]:
    """A sentence if agents have a tool that never does anything."""
    lacking = [
        f"routes.{index}"
        for index, route in enumerate(config.routes)
        if "coldTransfer" in route.tools and route.transfer_to is None
    ]
    if lacking and not config.outgoing.enabled:
        yield _NOWHERE.format(which=", ".join(lacking))


def _pointed(config: Config, name: str, public: PublicUrl) -> str:
    """Where a carrier is pointed; secrets are not shown."""
    if name == "audiosocket":
        assert config.audiosocket is not None
        return f"point it at TCP port {config.audiosocket.port} of {config.audiosocket.host}"
    web = f"{public.web('', secure=True)}/carriers/{name}"
    if name in _ANSWERING:
        return f"point it at {web}/answer, and its status callback at {web}/status"
    table = config.carriers.there()[name]
    secret = isinstance(table, ExchangeConfig) and table.secret is not None
    media = f"{public.sockets('', secure=True)}/carriers/{name}/media/"
    if secret:
        return f"point it at {media} and carriers.{name}.secret behind it"
    return f"point it at {media}-"
