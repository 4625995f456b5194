"""What a client says when it opens the signalling socket."""

import gzip
import random
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import rtc

from bridge.wire.livekit.join_request import (
    MAX_QUERY,
    MAX_UNPACKED,
    Description,
    JoinRequest,
    Refusal,
    read_join,
    token_of,
)
from tests.fakes.livekit_frames import broken


def packed(content: bytes, *, compress: bool = True) -> dict[str, str]:
    kind = rtc.WrappedJoinRequest.Compression
    wrapped = rtc.WrappedJoinRequest(
        compression=kind.GZIP if compress else kind.NONE,
        join_request=gzip.compress(content) if compress else content,
    )
    return {"join_request": urlsafe_b64encode(wrapped.SerializeToString()).decode()}


def asked(**fields: Any) -> bytes:
    return ParseDict(fields, rtc.JoinRequest()).SerializeToString()


BROWSER = asked(
    clientInfo={"sdk": "JS", "version": "2.23.0", "protocol": 17},
    publisherOffer={"type": "offer", "sdp": "v=0\r\n" * 3_000, "id": 1},
)


@pytest.mark.parametrize("compress", [True, False])
def test_a_browsers_join_request_is_read(compress: bool) -> None:
    request = read_join("v1", packed(BROWSER, compress=compress))

    assert request == JoinRequest(
        "v1", "js", "2.23.0", 17, publisher_offer=Description(1, "v=0\r\n" * 3_000)
    )
    assert isinstance(request, JoinRequest)
    assert request.client == "js 2.23.0"


def test_base64_is_read_with_and_without_its_padding() -> None:
    text = packed(BROWSER)["join_request"]

    assert text.endswith("=")
    assert read_join("v1", {"join_request": text.rstrip("=")}) == read_join("v1", packed(BROWSER))


def test_a_client_may_join_without_an_offer() -> None:
    request = read_join("v1", packed(asked(clientInfo={"sdk": "JS"})))

    assert isinstance(request, JoinRequest)
    assert request.publisher_offer is None


def test_v1_says_that_it_wants_to_resume() -> None:
    request = read_join("v1", packed(asked(reconnect=True, participantSid="PA_1")))

    assert request == JoinRequest("v1", reconnect=True, participant_sid="PA_1")


def test_v0_says_everything_in_the_query() -> None:
    query = {"sdk": "python", "version": "0.18.3", "protocol": "9", "reconnect": "1", "sid": "PA_1"}

    assert read_join("v0", query) == JoinRequest(
        "v0", "python", "0.18.3", 9, reconnect=True, participant_sid="PA_1"
    )


@pytest.mark.parametrize("protocol", ["", "x", "-1", "²", "9" * 6, "1.5"])
def test_a_protocol_that_is_no_number_counts_as_the_oldest(protocol: str) -> None:
    request = read_join("v0", {"protocol": protocol})

    assert request == JoinRequest("v0")


def test_foreign_words_are_short_and_printable() -> None:
    request = read_join("v0", {"version": "\x1b[31m" + "x" * 100})

    assert isinstance(request, JoinRequest)
    assert request.sdk_version == "[31m" + "x" * 59


def test_a_client_that_says_nothing_of_itself_is_unknown() -> None:
    assert JoinRequest("v0").client == "unknown"


def test_an_sdk_of_an_unknown_number_has_no_name() -> None:
    request = read_join("v1", packed(b"\x0a\x02\x08\x63"))

    assert request == JoinRequest("v1")


REFUSED = [
    ({}, 400, "has no join_request"),
    ({"join_request": "é"}, 400, "no base64url"),
    ({"join_request": "!!"}, 400, "no base64url"),
    ({"join_request": "////"}, 400, "no base64url"),
    ({"join_request": "A" * (MAX_QUERY + 1)}, 413, "longer than 65536 characters"),
    (packed(b"\xff", compress=False), 400, "holds no JoinRequest"),
    (packed(b"\x00" * (MAX_UNPACKED + 1)), 413, "over 98304 bytes once unpacked"),
    (packed(b"\x00" * 40_000_000), 413, "over 98304 bytes once unpacked"),
    (packed(asked(publisherOffer={"sdp": "v" * 65_537})), 413, "the offer is longer than 65536"),
]


@pytest.mark.parametrize(("query", "status", "words"), REFUSED)
def test_what_cannot_be_read_is_refused_in_one_sentence(
    query: dict[str, str], status: int, words: str
) -> None:
    refusal = read_join("v1", query)

    assert isinstance(refusal, Refusal)
    assert refusal.status == status
    assert words in refusal.sentence


def test_an_offer_of_64_kib_is_taken() -> None:
    content = asked(publisherOffer={"sdp": "v" * 65_536})

    assert isinstance(read_join("v1", packed(content)), JoinRequest)


def wrapped(gzipped: bytes) -> dict[str, str]:
    message = rtc.WrappedJoinRequest(
        compression=rtc.WrappedJoinRequest.Compression.GZIP, join_request=gzipped
    )
    return {"join_request": urlsafe_b64encode(message.SerializeToString()).decode()}


def test_a_gzip_that_is_none_or_cut_off_is_refused() -> None:
    cut = read_join("v1", wrapped(gzip.compress(BROWSER)[:-20]))
    none = read_join("v1", wrapped(b"no gzip"))

    assert cut == Refusal(400, "the join_request is cut off")
    assert none == Refusal(400, "the join_request cannot be unpacked")


@given(st.text(max_size=200))
def test_no_text_gets_further_than_a_request_or_a_refusal(text: str) -> None:
    for version in ("v0", "v1"):
        query = {"join_request": text, "sdk": text, "protocol": text, "reconnect": text}
        assert isinstance(read_join(version, query), JoinRequest | Refusal)


@pytest.mark.parametrize("part", ["request", "gzip"])
def test_damaged_requests_are_read_or_refused(part: str) -> None:
    for seed in range(300):
        damaged = (
            packed(broken(BROWSER[:400], seed))
            if part == "request"
            else wrapped(broken(gzip.compress(BROWSER), seed))
        )
        assert isinstance(read_join("v1", damaged), JoinRequest | Refusal)


def test_random_bytes_are_read_or_refused() -> None:
    chance = random.Random(1)
    for size in range(300):
        text = urlsafe_b64encode(chance.randbytes(size)).decode()
        assert isinstance(read_join("v1", {"join_request": text}), JoinRequest | Refusal)


def test_a_bearers_header_goes_before_the_query() -> None:
    query = {"access_token": "of the query"}

    assert token_of(query, "Bearer of.the.header") == "of.the.header"
    assert token_of(query, "bearer  of.the.header ") == "of.the.header"
    assert token_of(query, None) == "of the query"
    assert token_of(query, "Basic abc") == "of the query"
    assert token_of({}, "Bearer ") is None
