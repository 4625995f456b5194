"""NCCO as far as a call with a WebSocket needs it (developer.vonage.com/en/voice/voice-api/ncco-reference)."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bridge.testing.call_log import CallLog
from bridge.testing.carriers.vonage.media import CONTENT_TYPES
from bridge.testing.verbs import Dial, DocumentError, PlayRecording, Say, Stream, Verb

MAX_HEADERS_BYTES: Final = 512
_NOT_PLAYED: Final = frozenset({"record", "conversation", "input", "notify", "pay", "wait"})


def read_ncco(body: bytes | str, log: CallLog) -> list[Verb]:
    """The verbs of an NCCO. Raises: DocumentError."""
    try:
        actions = json.loads(body)
    except ValueError:
        raise DocumentError("The answer is no JSON.") from None
    if not isinstance(actions, list) or not all(isinstance(each, dict) for each in actions):
        raise DocumentError("The answer is no NCCO: a list of actions.")
    return [verb for action in actions for verb in _verbs(action, log)]


def _verbs(action: Mapping[str, Any], log: CallLog) -> list[Verb]:
    match str(action.get("action")):
        case "connect":
            return _connect(action, log)
        case "talk":
            return [Say(str(action.get("text", "")))]
        case "stream":
            urls = action.get("streamUrl")
            return [PlayRecording(str(url)) for url in urls] if isinstance(urls, list) else []
        case name if name in _NOT_PLAYED:
            log.remark(f"The action {name} is not played by this emulator: it is left out.")
        case name:
            log.problem(f"NCCO has no action “{name}”.")
    return []


def _connect(action: Mapping[str, Any], log: CallLog) -> list[Verb]:
    endpoints = action.get("endpoint")
    if not isinstance(endpoints, list) or len(endpoints) != 1 or not isinstance(endpoints[0], dict):
        log.problem("A connect action takes a list of exactly one endpoint.")
        return []
    endpoint = endpoints[0]
    if endpoint.get("type") != "websocket":
        return [Dial(str(endpoint.get("number") or endpoint.get("uri") or "nobody"))]
    if str(endpoint.get("content-type")) not in CONTENT_TYPES:
        log.problem(f"The endpoint's content-type is one of {', '.join(CONTENT_TYPES)}.")
        return []
    headers = endpoint.get("headers", {})
    if not isinstance(headers, dict) or len(json.dumps(headers).encode()) > MAX_HEADERS_BYTES:
        log.problem(f"The endpoint's headers are an object of {MAX_HEADERS_BYTES} bytes at most.")
        headers = {}
    event_url = action.get("eventUrl")
    options = {
        "content-type": str(endpoint["content-type"]),
        "headers": json.dumps(headers),
        "eventType": str(action.get("eventType", "")),
        "eventUrl": str(event_url[0]) if isinstance(event_url, list) and event_url else "",
    }
    return [Stream(str(endpoint.get("uri", "")), {}, options)]
