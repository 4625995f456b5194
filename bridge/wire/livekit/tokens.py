"""Tokens of a LiveKit room: who may join which room until when, as a JSON Web Token signed HS256.

Source: LiveKit's access tokens, as far as its clients and servers read them: ``sub`` is the identity, ``video`` the
grants. A client joins with the same token again after a lost connection, so it is good for as long as the call.
"""

from dataclasses import dataclass
from typing import Final

from bridge.wire.signatures.jwt import decode_hs256, encode_hs256

CLOCKS_DIFFER_S: Final = 10
"""A token may come from a clock that is ahead by this much."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows."""

    identity: str
    room: str
    can_publish: bool
    can_subscribe: bool
    can_publish_data: bool
    expires_s: float
    """Unix seconds."""


def issue_token(
    secret: str | bytes, *, api_key: str, identity: str, room: str, now_s: float, valid_s: float
) -> str:
    """A token to join one room as one identity, with a microphone, ears and data messages.

    Args:
        secret: shared with whoever checks it.
        api_key: the name of the secret.
        identity: of the participant.
        room: its name.
        now_s: Unix seconds.
        valid_s: for how long.
    """
    claims: dict[str, object] = {
        "iss": api_key,
        "sub": identity,
        "nbf": int(now_s),
        "exp": int(now_s + valid_s),
        "video": {
            "room": room,
            "roomJoin": True,
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
        },
    }
    return encode_hs256(claims, secret)


def check_token(
    secret: str | bytes, token: str, *, room: str | None = None, now_s: float
) -> Grant | str:
    """What the token allows, or the sentence that says why it allows nothing.

    Args:
        secret: it must be signed by.
        token: as it came.
        room: that the client wants to join; None takes the token's.
        now_s: Unix seconds.
    """
    claims = decode_hs256(token, secret)
    if claims is None:
        return "the token was not made by this server"
    expires, begins = _instant(claims.get("exp")), _instant(claims.get("nbf", 0))
    if expires is None or begins is None:
        return "the token does not say how long it is good for"
    if now_s >= expires:
        return "the token has expired"
    if now_s < begins - CLOCKS_DIFFER_S:
        return "the token is not good yet"
    identity, video = claims.get("sub"), claims.get("video")
    if not isinstance(identity, str) or not identity or not isinstance(video, dict):
        return "the token names nobody or allows nothing"
    return _grant(identity, video, room, expires)


def _grant(
    identity: str, video: dict[str, object], room: str | None, expires_s: float
) -> Grant | str:
    named = video.get("room")
    if video.get("roomJoin") is not True or not isinstance(named, str):
        return "the token does not allow to join a room"
    if room is not None and named != room:
        return "the token is for another room"
    # LiveKit's rule: what is not forbidden is allowed to who may join.
    return Grant(
        identity=identity,
        room=named,
        can_publish=video.get("canPublish", True) is True,
        can_subscribe=video.get("canSubscribe", True) is True,
        can_publish_data=video.get("canPublishData", True) is True,
        expires_s=expires_s,
    )


def _instant(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
