"""Genesys' part of a call: the signed upgrade, the session.

Sources: audiohook-reference-implementation (client, authenticator); reference telephony section 5.2.
"""

import asyncio
import base64
from collections.abc import Mapping
from typing import ClassVar

from bridge.errors import UsageError
from bridge.testing.carriers.base import Account, World
from bridge.testing.carriers.genesys.media import GenesysMedia, Session
from bridge.testing.carriers.socket_carrier import SocketCarrier
from bridge.testing.phone_call import PhoneCall
from bridge.testing.signing import genesys as signing
from bridge.testing.verbs import Stream

PROBE: str = "00000000-0000-0000-0000-000000000000"


class Genesys(SocketCarrier):
    """Genesys with one integration: `account_id` is the API key, `token` the client secret in base64."""

    name = "genesys"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "channels": ("1", "2"),
        "probe": ("no", "yes"),
    }

    def __init__(self, world: World, account: Account) -> None:
        try:
            base64.b64decode(account.token, validate=True)
        except ValueError:
            raise UsageError("the client secret of Genesys is written in base64") from None
        super().__init__(world, account)

    def headers(self, call: PhoneCall, url: str) -> Mapping[str, str]:
        """The session's headers and their signature."""
        ids = self.world.ids
        more = call.facts.more
        more.setdefault("organization", ids.uuid())
        headers = {
            "audiohook-organization-id": more["organization"],
            "audiohook-session-id": call.facts.call_id,
            "audiohook-correlation-id": ids.uuid(),
            "x-api-key": self.account.account_id,
        }
        signed = signing.sign(
            self.account.token,
            url,
            headers,
            nonce=ids.token(),
            created_s=int(self.world.clock().timestamp()),
        )
        return headers | signed

    def dialect(self, call: PhoneCall, stream: Stream) -> GenesysMedia:  # noqa: ARG002 - one for all
        """The session of this call."""
        ids, facts = self.world.ids, call.facts
        session = Session(
            session_id=facts.call_id,
            organization_id=facts.more["organization"],
            conversation_id=PROBE if self.option("probe") == "yes" else ids.uuid(),
            participant_id=ids.uuid(),
            from_number=facts.from_number,
            to_number=facts.to_number,
            stereo=self.option("channels") == "2",
            input_variables={},
        )
        return GenesysMedia(session, asyncio.get_running_loop().time)
