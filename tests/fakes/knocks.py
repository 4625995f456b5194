"""Carriers' webhooks and upgrades, made by hand: right ones, and all the wrong ones of promise S7."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx

from bridge.gateway.media_route import Admission, Knock, UpgradeRefused
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.testing.carriers.telnyx.exchange import TEST_KEY
from bridge.wire.signatures import genesys, plivo, telnyx, twilio, vonage
from bridge.wire.signatures.basic import sign_basic
from bridge.wire.signatures.request import SignedRequest
from tests.fakes.emulated import ACCOUNTS
from tests.fakes.phone_world import BASE, SECRET, PhoneWorld

SOCKETS = BASE.replace("https", "wss")
FORM = "application/x-www-form-urlencoded"
NUMBERS = {"From": "+15550100001", "To": "+15550100002"}


@dataclass
class Webhook:
    """A request to the answer URL."""

    method: str = "POST"
    target: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        return await http.request(self.method, self.target, content=self.body, headers=self.headers)


def twilio_webhook(
    fields: Mapping[str, str], path: str = "/carriers/twilio/answer", secret: str = ""
) -> Webhook:
    secret = secret or ACCOUNTS["twilio"].token
    body = urlencode(fields).encode()
    signed = twilio.sign_webhook(secret, BASE + path, fields.items())
    return Webhook("POST", path, body, {"Content-Type": FORM, **signed})


def twilio_call(call_id: str = "CA1", **more: str) -> dict[str, str]:
    return {
        "CallSid": call_id,
        "AccountSid": ACCOUNTS["twilio"].account_id,
        "CallStatus": "ringing",
        "Direction": "inbound",
        **NUMBERS,
        **more,
    }


def telnyx_webhook(body: bytes, now_s: float, content_type: str = FORM) -> Webhook:
    signed = telnyx.sign_webhook(TEST_KEY, body, now_s)
    path = "/carriers/telnyx/answer"
    return Webhook("POST", path, body, {"Content-Type": content_type, **signed})


def plivo_webhook(
    fields: Mapping[str, str], nonce: str, path: str = "/carriers/plivo/answer"
) -> Webhook:
    signed = plivo.sign_webhook(ACCOUNTS["plivo"].token, BASE + path, nonce, fields.items())
    return Webhook("POST", path, urlencode(fields).encode(), {"Content-Type": FORM, **signed})


def vonage_webhook(query: Mapping[str, str], now_s: float) -> Webhook:
    target = f"/carriers/vonage/answer?{urlencode(query)}"
    request = SignedRequest("GET", target)
    return Webhook(
        "GET", target, b"", vonage.sign_webhook(ACCOUNTS["vonage"].token, request, now_s)
    )


async def stream_target(world: PhoneWorld, webhook: Webhook) -> str:
    """The path of the media socket that a webhook is answered with."""
    answer = await webhook.send(world.http())
    assert answer.status_code == 200, answer.text
    found = re.search(rf"{SOCKETS}(/carriers/\w+/media/[\w-]+)", answer.text)
    assert found is not None, answer.text
    return found[1]


def knock(target: str, headers: Mapping[str, str] | None = None) -> Knock:
    sent = {"host": "bridge.example", **(headers or {})}
    return Knock(target, {name.lower(): value for name, value in sent.items()}, secure=True)


def twilio_knock(target: str, *, secret: str = "", url: str = "") -> Knock:
    secret = secret or ACCOUNTS["twilio"].token
    return knock(target, twilio.sign_upgrade(secret, url or SOCKETS + target))


def genesys_knock(
    now_s: float,
    *,
    nonce: str = "n" * 22,
    target: str = "",
    secret: str = "",
    host: str = "bridge.example",
) -> Knock:
    path = "/carriers/genesys/media/-"
    headers = {
        "audiohook-organization-id": "o",
        "audiohook-session-id": "s",
        "audiohook-correlation-id": "c",
    }
    account = ACCOUNTS["genesys"]
    signed = genesys.sign_upgrade(
        account.account_id,
        secret or account.token,
        SignedRequest("GET", target or path, headers),
        authority=host,
        now_s=now_s,
        nonce=nonce,
    )
    return knock(path, {**headers, **signed})


def secret_knock(carrier: str, secret: str = SECRET) -> Knock:
    return knock(f"/carriers/{carrier}/media/{secret}")


def basic_knock(user: str = "jambonz", password: str = "CANARY-password") -> Knock:
    return knock("/carriers/jambonz/media/-", sign_basic(user, password))


async def status_of(world: PhoneWorld, knocked: Knock) -> int:
    """101 if a media socket is taken, else the status that refuses it."""
    try:
        admission = await admitted(world, knocked)
    except UpgradeRefused as refused:
        return refused.status
    open_socket(admission)
    return 101


async def admitted(world: PhoneWorld, knocked: Knock) -> Admission:
    [route] = world.gateway.media_routes
    assert route.path.fullmatch(knocked.target.partition("?")[0]), knocked.target
    return await route.admit(knocked)


def open_socket(admission: Admission) -> MediaSocket:
    ours, theirs = memory_pair(asyncio.get_running_loop())
    admission.take(theirs)
    return ours
