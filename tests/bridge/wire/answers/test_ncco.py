import json
from typing import Any

import pytest

from bridge.errors import UsageError
from bridge.wire.answers import ncco
from bridge.wire.answers.answer import Answer
from tests.bridge.wire.answers.parsed import HOSTILE, UNSAYABLE

URL = "wss://voice.example.com/carriers/vonage/media/token"


def read(answer: Answer) -> Any:
    assert answer.content_type == "application/json"
    return json.loads(answer.body)


def test_a_call_is_connected_to_a_socket() -> None:
    assert read(ncco.stream(URL, {"call": "c1"}, event_url="https://e.example", rate_hz=8_000)) == [
        {
            "action": "connect",
            "eventUrl": ["https://e.example"],
            "endpoint": [
                {
                    "type": "websocket",
                    "uri": URL,
                    "content-type": "audio/l16;rate=8000",
                    "headers": {"call": "c1"},
                }
            ],
        }
    ]


def test_the_socket_is_wide_band_unless_said_otherwise() -> None:
    [connect] = read(ncco.stream(URL))

    assert connect["endpoint"][0]["content-type"] == "audio/l16;rate=16000"
    assert "eventUrl" not in connect
    assert [connect] == ncco.stream_actions(URL)


@pytest.mark.parametrize("value", [*HOSTILE, *UNSAYABLE])
def test_a_hostile_caller_id_comes_through_as_it_is(value: str) -> None:
    answer = ncco.stream(URL, {"from": value})

    assert read(answer)[0]["endpoint"][0]["headers"] == {"from": value}
    assert answer.body.isascii()


@pytest.mark.parametrize("n", [512 - len('{"a":""}'), 512 - len('{"a":""}') + 1, 10_240])
def test_headers_have_a_bounded_length(n: int) -> None:
    if n + len('{"a":""}') <= 512:
        ncco.stream(URL, {"a": "1" * n})
    else:
        with pytest.raises(UsageError, match="over 512 bytes"):
            ncco.stream(URL, {"a": "1" * n})


def test_an_empty_document_ends_the_call() -> None:
    assert read(ncco.hang_up()) == read(ncco.busy()) == []


@pytest.mark.parametrize(
    ("to", "endpoint"),
    [
        ("+49 30 123-456", {"type": "phone", "number": "4930123456"}),
        (
            "sip:a@pbx.example;transport=tls",
            {"type": "sip", "uri": "sip:a@pbx.example;transport=tls"},
        ),
    ],
)
def test_a_transfer_goes_to_a_number_or_to_a_sip_address(to: str, endpoint: dict[str, str]) -> None:
    assert read(ncco.transfer(to)) == [{"action": "connect", "endpoint": [endpoint]}]


@pytest.mark.parametrize("to", ["", "nobody", "+"])
def test_a_transfer_to_nobody_is_refused(to: str) -> None:
    with pytest.raises(UsageError):
        ncco.transfer(to)


def test_a_fallback_plays_then_connects_or_ends() -> None:
    both = read(ncco.fallback("https://x.example/a.wav", "+491"))

    assert [action["action"] for action in both] == ["stream", "connect"]
    assert both[0]["streamUrl"] == ["https://x.example/a.wav"]
    assert len(read(ncco.fallback("https://x.example/a.wav"))) == 1
    assert read(ncco.fallback()) == []
