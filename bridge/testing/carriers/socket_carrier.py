"""Carriers without an answer step: the call is there when their media socket is."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from fastapi import FastAPI

from bridge.testing.call_parts import CallFacts, Opened, Refused
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import DEFAULT_NUMBERS, Account, Carrier, Numbers, World
from bridge.testing.carriers.urls import without_credentials
from bridge.testing.commands import Dialect
from bridge.testing.phone_call import PhoneCall
from bridge.testing.verbs import Redirect, Stream, Verb


class SocketCarrier(Carrier):
    """Opens the media socket at once; when it is over the call is hung up."""

    has_api: ClassVar[bool] = False
    subprotocols: Sequence[str] = ()

    def __init__(self, world: World, account: Account) -> None:
        super().__init__(world, account)
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    def inbound(self, url: str, plan: CallerPlan, numbers: Numbers = DEFAULT_NUMBERS) -> PhoneCall:
        """A call whose media socket is opened at this URL."""
        facts = CallFacts(
            call_id=self.world.ids.uuid(),
            direction="inbound",
            from_number=numbers.from_number,
            to_number=numbers.to_number,
            more={"url": url},
        )
        return self.add(facts, plan)

    async def first(self, call: PhoneCall) -> Sequence[Verb]:
        """The socket."""
        call.status = "ringing"
        return [Stream(call.facts.more["url"])]

    async def follow(self, call: PhoneCall, redirect: Redirect) -> Sequence[Verb]:  # noqa: ARG002
        """Nothing else can be asked."""
        return []

    async def open(self, call: PhoneCall, stream: Stream) -> Opened | Refused:
        """Open the socket with the carrier's headers."""
        url, headers = without_credentials(stream.url)
        headers |= self.headers(call, url)
        socket = await self.dial_out(call, url, headers, self.subprotocols)
        if isinstance(socket, Refused):
            return socket
        return Opened(socket, self.dialect(call, stream), call.facts.call_id)

    def headers(self, call: PhoneCall, url: str) -> Mapping[str, str]:  # noqa: ARG002
        """What the upgrade request carries."""
        return {}

    def dialect(self, call: PhoneCall, stream: Stream) -> Dialect:
        """The carrier's messages for this call."""
        raise NotImplementedError
