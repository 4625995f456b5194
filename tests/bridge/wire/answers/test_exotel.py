import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from bridge.errors import UsageError
from bridge.wire.answers import exotel
from tests.bridge.wire.answers.parsed import HOSTILE, UNSAYABLE

URL = "wss://voice.example.com/carriers/exotel/media/token"


def test_a_voicebot_is_told_the_url_of_its_socket() -> None:
    answer = exotel.stream(URL)

    assert json.loads(answer.body) == {"url": URL}
    assert answer.content_type == "application/json"


def test_rate_and_parameters_stand_in_the_query() -> None:
    assert exotel.stream_url(URL, rate_hz=16_000) == f"{URL}?sample-rate=16000"
    assert (
        exotel.stream_url(URL, {"a": "1", "b": "x y"}, rate_hz=24_000)
        == f"{URL}?sample-rate=24000&a=1&b=x+y"
    )
    assert exotel.stream_url(URL, {"a": "1"}, rate_hz=8_000) == f"{URL}?a=1"


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_caller_id_comes_through_as_it_is(value: str) -> None:
    url = json.loads(exotel.stream(URL, {"from": value}).body)["url"]

    assert parse_qsl(urlsplit(url).query, strict_parsing=True) == [("from", value)]
    assert url.isprintable()


@pytest.mark.parametrize("n", [3, 4])
def test_a_stream_has_at_most_three_parameters(n: int) -> None:
    parameters = {f"p{i}": "1" for i in range(n)}
    if n == 3:
        exotel.stream(URL, parameters)
    else:
        with pytest.raises(UsageError, match="at most 3"):
            exotel.stream(URL, parameters)


@pytest.mark.parametrize("n", [254, 255, 10_240])
def test_parameters_have_a_bounded_length(n: int) -> None:
    if n == 254:
        exotel.stream(URL, {"a": "1" * n})
    else:
        with pytest.raises(UsageError, match="over 256"):
            exotel.stream(URL, {"a": "1" * n})


@pytest.mark.parametrize("n", [600, 601])
def test_a_url_has_a_bounded_length(n: int) -> None:
    url = f"{URL}/".ljust(n, "x")
    if n == 600:
        assert exotel.stream_url(url) == url
    else:
        with pytest.raises(UsageError, match="over 600"):
            exotel.stream_url(url)


def test_a_url_that_has_a_query_already_is_refused() -> None:
    with pytest.raises(UsageError, match="query here"):
        exotel.stream(f"{URL}?a=1")


@pytest.mark.parametrize("value", [*HOSTILE, *UNSAYABLE])
def test_a_connect_applet_is_told_whom_to_dial(value: str) -> None:
    assert json.loads(exotel.transfer(value).body) == {
        "fetch_after_attempt": False,
        "destination": {"numbers": [value.strip()]},
    }


def test_a_transfer_to_nobody_is_refused() -> None:
    with pytest.raises(UsageError):
        exotel.transfer("")
