"""The carriers of the configuration, as the call service needs them: to be dialled through, and to be heard.

A carrier opens its media socket at the call's own join URL, under ``server.public_url``; the call's token is in the
path. Plivo's request cannot say what shall be done with a call that is answered: it asks, at an address with the same
token.
"""

from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from bridge.calls.errors import InvalidSettings
from bridge.calls.records import CallRecord
from bridge.calls.settings import Dial, PhoneCarrier, PhoneMedium
from bridge.config import Config, is_loopback
from bridge.gateway.dial_limits import DialLimits
from bridge.gateway.join_route import stream_url
from bridge.gateway.phone.carriers.configured import Carriers
from bridge.gateway.phone.dialled import answer_url, status_url
from bridge.gateway.phone_lines import PhoneLines
from bridge.gateway.public_url import PublicUrl
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.phone_line import CarrierApi, OutgoingCall
from bridge.wire.carriers.base import CarrierWire
from bridge.wire.carriers.make import WireOptions, make_wire


class ConfiguredPhones:
    """See Phones.

    Args:
        config: of the whole service.
        carriers: made from it.
        limits: what may be dialled.
        lines: where phone calls are counted.
    """

    def __init__(
        self, config: Config, carriers: Carriers, limits: DialLimits, lines: PhoneLines
    ) -> None:
        self._config = config
        self._carriers = carriers
        self._limits = limits
        self._lines = lines
        self._public = PublicUrl(config.server.public_url)

    def admit(self, record: CallRecord) -> None:
        """See Phones."""
        carrier, dial = _dialled(record)
        if dial is not None:
            self._limits.check(dial.to)
            if why := self._cannot_place(carrier):
                raise InvalidSettings("medium", why)
        self._lines.check()
        if dial is not None:
            self._limits.take(record.call_id, dial.to)
        self._lines.begin(record.call_id, carrier)

    def ended(self, record: CallRecord) -> None:
        """See Phones."""
        self._limits.give_back(record.call_id)
        self._lines.end(record.call_id, record.end_reason or "system_error")

    def divert(self, target: str) -> str:
        """See Phones."""
        return self._limits.divert(target)

    def wire(self, medium: PhoneMedium) -> CarrierWire:
        """See Phones. Of a stream that somebody else has asked for, nothing is known but what it says of itself."""
        carrier = self._carriers.get(medium.carrier)
        options = WireOptions() if carrier is None else carrier.wire_options
        if medium.outgoing is None:
            options = replace(options, played=None)
        return make_wire(medium.carrier, options)

    def figures(self, record: CallRecord) -> CarrierFigures:
        """See Phones."""
        return self._lines.connect(record.call_id) or CarrierFigures()

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:
        """See Phones."""
        found = self._carriers.get(carrier)
        return None if found is None else found.api

    async def place(self, record: CallRecord) -> str:
        """See Phones."""
        carrier, dial = _dialled(record)
        api = self.api(carrier)
        assert dial is not None, "a call is placed that asks for it"
        assert api is not None, "a call is placed that was let in"
        web = self._public.web("", secure=True)
        call = OutgoingCall(
            to=self._limits.check(dial.to),
            from_=dial.from_,
            stream_url=stream_url(record, self._public.sockets("", secure=True)),
            status_url=status_url(web, carrier, record.call_id),
            more=dial.more,
            answer_url=answer_url(web, carrier, record),
        )
        return await api.place(call)

    def _cannot_place(self, carrier: PhoneCarrier) -> str | None:
        """Why no call can be placed through this carrier, in a sentence."""
        table = getattr(self._config.carriers, carrier)
        if table is None:
            return f"This server has no account at {carrier}: its configuration has no carriers.{carrier}."
        if self.api(carrier) is None:
            return f"This server has no credentials for the API of {carrier}, so it cannot place calls."
        return _unreachable(self._public, carrier, table.api_url)


def _dialled(record: CallRecord) -> tuple[PhoneCarrier, Dial | None]:
    medium = record.settings.medium
    assert isinstance(medium, PhoneMedium), "it has a carrier"
    return medium.carrier, medium.outgoing


def _unreachable(public: PublicUrl, carrier: PhoneCarrier, api_url: str) -> str | None:
    """Why a carrier could not open its media socket here; one on this machine, for tests, reaches everything."""
    if public.configured is None:
        return f"There is no address at which {carrier} can reach this server: server.public_url is not set."
    if is_loopback(urlsplit(api_url).hostname or ""):
        return None
    if _is_private(public.host):
        return f"The address in server.public_url is one that {carrier} cannot reach from outside."
    if not public.web("", secure=True).startswith("https:"):
        return f"The address in server.public_url has to begin with https://: {carrier} opens secure sockets only."
    return None


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return is_loopback(host)
