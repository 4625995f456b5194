"""Who may open a media socket at ``/carriers/{carrier}/media/{token}``: decided before the upgrade, nothing spent.

A token of ours, once (once more for a carrier that tries twice, after its first socket has come to nothing), and the
carrier's signature where it signs upgrades (reliability T1, T2); or, for a carrier that is not asked for by an answer,
its own secret, password or signature, and room for one more call (T4).
"""

import logging
import re
from dataclasses import replace
from functools import partial
from typing import Final

from bridge.gateway.admission import RETRY_AFTER_S
from bridge.gateway.media_route import Admission, Knock, MediaRoute, UpgradeRefused
from bridge.gateway.phone.carriers.base import Came, Carrier
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.not_there import tell_not_there
from bridge.gateway.phone.phone_call import PhoneCall
from bridge.gateway.phone.quiet_log import QuietLog
from bridge.gateway.phone.tickets import Tickets
from bridge.gateway.phone.webhooks import UNCHECKED
from bridge.gateway.public_url import PublicUrl
from bridge.log import printable
from bridge.wire.signatures.request import SignedRequest
from bridge.wire.signatures.stream_token import Claim

log = logging.getLogger(__name__)

MEDIA_PATH: Final = re.compile(
    r"/carriers/(?P<carrier>[a-z_]{1,20})/media/(?P<token>[\w-]{1,128})/?", re.ASCII
)
_REFUSED: Final = "This media socket is not taken."


class MediaDoor:
    """Admits carriers' media sockets."""

    def __init__(self, desk: PhoneDesk, tickets: Tickets, public: PublicUrl) -> None:
        self._desk = desk
        self._tickets = tickets
        self._public = public
        self._quiet = QuietLog(log)

    def routes(self) -> list[MediaRoute]:
        """Where the sockets come."""
        return [MediaRoute(MEDIA_PATH, self.admit)]

    async def admit(self, knock: Knock) -> Admission:
        """See Admit."""
        found = MEDIA_PATH.fullmatch(knock.target.partition("?")[0])
        carrier = None if found is None else self._desk.carrier(found["carrier"])
        if found is None or carrier is None:
            if found is not None:
                tell_not_there(self._quiet, found["carrier"], "media socket")
            raise UpgradeRefused(404, "No such carrier comes here.")
        came = Came(
            SignedRequest("GET", knock.target, knock.headers),
            self._public.web(knock.headers.get("host", ""), secure=knock.secure),
            self._tickets.now_s(),
            found["token"],
        )
        claim = self._tickets.check(came.token, carrier.name)
        if isinstance(claim, Claim):
            call = self._expected(carrier, claim, came)
        else:
            call = self._unannounced(carrier, claim, came)
        take = partial(self._desk.connect, call)
        return Admission(take, carrier.subprotocol_for(knock.subprotocols))

    def _expected(self, carrier: Carrier, claim: Claim, came: Came) -> PhoneCall:
        """The call that was answered with this token."""
        call = self._desk.call(claim.call_id)
        if call is None or call.expected is None or call.phase != "waiting":
            raise self._refuse(carrier, "its call is over, or has its media socket already", 410)
        by_rest = call.expected.by_rest
        unchecked = self._judge(carrier, carrier.check_upgrade(replace(came, by_rest=by_rest)))
        if not self._tickets.first(f"{came.token} {call.n_sockets}"):
            raise self._refuse(carrier, "its token was used before", 409)
        call.record.unchecked |= unchecked
        return call

    def _unannounced(self, carrier: Carrier, bad_token: str, came: Came) -> PhoneCall:
        """A call that its socket brings up."""
        why = bad_token if carrier.needs_token else carrier.check_unannounced(came)
        key = carrier.once_key(came.request) if why is None else ""
        if key and not self._tickets.first(f"{carrier.name} {key}", dated=carrier.dated):
            why = "its signature has come before"
        unchecked = self._judge(carrier, why)
        if full := self._desk.may_take():
            self._quiet.warning("! %s: a call is refused: %s", carrier.name, full)
            raise UpgradeRefused(503, full, retry_after_s=RETRY_AFTER_S)
        call = self._desk.unannounced(carrier)
        call.record.unchecked = unchecked
        return call

    def _judge(self, carrier: Carrier, why: str | None) -> bool:
        """Whether a socket is taken though it fits nothing. Raises: UpgradeRefused if it is not taken."""
        if why is None:
            return False
        if not self._desk.config.insecure:
            raise self._refuse(carrier, why, 403)
        self._quiet.warning(UNCHECKED, carrier.name, "media socket", printable(why))
        return True

    def _refuse(self, carrier: Carrier, why: str, status: int) -> UpgradeRefused:
        self._quiet.warning("! %s: a media socket is refused: %s", carrier.name, printable(why))
        return UpgradeRefused(status, _REFUSED)
