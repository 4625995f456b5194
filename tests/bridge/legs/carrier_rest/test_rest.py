import asyncio
import gzip

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.carrier_rest.rest import (
    ANSWER_LIMITS,
    ANSWER_S,
    LONGEST_ID,
    LONGEST_QUOTE,
    CarrierRest,
    Said,
    as_form,
    basic_auth,
    forbid,
    path_of,
)
from bridge.legs.phone_line import CarrierApiError
from bridge.virtual import run_virtual
from tests.bridge.legs.carrier_rest.far_end import Answer, FarEnd
from tests.fakes.http_bodies import Dripping, Endless

BASE = "https://api.test/v1"
SECRET = "CANARY-secret"
HEADERS = basic_auth("user", SECRET)
GOOD = httpx.Response(200, json={"id": "x1"})


def rest(far_end: FarEnd) -> CarrierRest:
    return CarrierRest(far_end.client(BASE), "Acme", HEADERS, (SECRET, ""))


async def ask(*answers: Answer, repeatable: bool = False) -> tuple[Said, list[httpx.Request]]:
    far_end = FarEnd(*answers)
    said = await rest(far_end).ask("hang up", "POST", "/calls", json={}, repeatable=repeatable)
    return said, far_end.asked


async def failure(*answers: Answer, repeatable: bool = False) -> CarrierApiError:
    with pytest.raises(CarrierApiError) as caught:
        await ask(*answers, repeatable=repeatable)
    return caught.value


def refusal(said: Said) -> str:
    with pytest.raises(CarrierApiError) as caught:
        rest(FarEnd()).refuse("hang up", said)
    assert caught.value.status == said.status
    return str(caught.value)


async def test_a_request_has_the_credentials_and_asks_for_plain_answers() -> None:
    said, [request] = await ask(GOOD)

    assert said == Said(200, {"id": "x1"})
    assert said.ok
    assert str(request.url) == "https://api.test/v1/calls"
    assert request.headers["Authorization"] == "Basic dXNlcjpDQU5BUlktc2VjcmV0"
    assert request.headers["Accept-Encoding"] == "identity"


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_its_deadline() -> None:
    async def never() -> httpx.Response:
        await asyncio.sleep(3600)
        return GOOD

    async def wait() -> float:
        error = await failure(never, repeatable=True)
        assert str(error) == "Acme did not answer in time when asked to hang up"
        assert error.status == 0
        return asyncio.get_running_loop().time()

    assert run_virtual(wait()) == pytest.approx(ANSWER_S)


def test_a_body_that_drips_is_waited_for_no_longer_than_any_other_answer() -> None:
    async def wait() -> float:
        assert "in time" in str(await failure(httpx.Response(200, stream=Dripping())))
        return asyncio.get_running_loop().time()

    assert run_virtual(wait()) == pytest.approx(ANSWER_S)


@pytest.mark.parametrize("error", [httpx.ReadTimeout("x"), httpx.ConnectTimeout("x")])
async def test_the_clients_own_timeout_is_a_late_answer(error: Exception) -> None:
    assert "did not answer in time" in str(await failure(error))


def test_an_api_that_cannot_be_reached_is_told_without_its_address() -> None:
    no_route = httpx.ConnectError(f"no route to https://x:{SECRET}@api.test/v1")
    error = run_virtual(failure(no_route))

    assert str(error) == "Acme cannot be reached to hang up: no route to …"


async def test_an_api_that_breaks_off_is_told_by_the_kind_of_its_error() -> None:
    error = await failure(httpx.RemoteProtocolError(""))

    assert str(error) == "Acme cannot be reached to hang up: RemoteProtocolError"


async def test_of_an_endless_body_no_more_is_read_than_shows_that_it_is_too_long() -> None:
    body = Endless()

    said, _ = await ask(httpx.Response(201, stream=body))

    assert said == Said(201, flaw="it is longer than 65536 bytes")
    assert body.read <= 3 * 65_536


@pytest.mark.parametrize("n", [ANSWER_LIMITS.max_bytes, ANSWER_LIMITS.max_bytes + 1])
async def test_a_body_is_read_up_to_its_limit(n: int) -> None:
    content = b'{"id": "' + b"x" * (n - 10) + b'"}'

    said, _ = await ask(httpx.Response(200, content=content))

    assert (said.flaw == "") == (n == ANSWER_LIMITS.max_bytes)


async def test_a_compressed_answer_is_not_read() -> None:
    bomb = gzip.compress(b" " * 1_000_000)

    said, _ = await ask(
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(bomb))
    )

    assert said == Said(200, flaw="it is compressed though that was not asked for")


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b"\xff", b'"x"', b"[" * 60_000])
async def test_a_body_that_is_no_object_is_an_answer_without_words(content: bytes) -> None:
    said, _ = await ask(httpx.Response(503, content=content))

    assert said.body == {}
    assert said.flaw
    assert refusal(said) == "Acme refused to hang up (503)"


async def test_a_redirect_is_not_followed() -> None:
    said, asked = await ask(httpx.Response(307, headers={"Location": "https://evil.test/"}))

    assert (said.status, len(asked)) == (307, 1)


def test_what_was_never_sent_is_asked_again_once() -> None:
    said, asked = run_virtual(ask(httpx.ConnectError("x"), GOOD))
    assert (said.ok, len(asked)) == (True, 2)

    assert "cannot be reached" in str(run_virtual(failure(httpx.ConnectError("x"))))
    assert "cannot be reached" in str(run_virtual(failure(AttributeError("getpeername"))))


@pytest.mark.parametrize(
    "first", [httpx.ReadError("x"), httpx.RemoteProtocolError("x"), httpx.Response(503)]
)
def test_what_may_have_been_done_is_asked_again_only_where_that_does_no_harm(
    first: Answer,
) -> None:
    said, asked = run_virtual(ask(first, GOOD, repeatable=True))
    assert (said.ok, len(asked)) == (True, 2)

    if isinstance(first, Exception):
        run_virtual(failure(first, GOOD))
    else:
        said, asked = run_virtual(ask(first, GOOD))
        assert (said.status, len(asked)) == (503, 1)


async def test_a_refusal_is_not_asked_again() -> None:
    said, asked = await ask(httpx.Response(401), GOOD, repeatable=True)

    assert (said.status, len(asked)) == (401, 1)


@pytest.mark.parametrize(
    "body",
    [
        {"message": "No such call"},
        {"errors": [{"code": "1", "title": "Oh", "detail": "No such call"}, {}]},
        {"RestException": {"Status": 404, "Message": "No such call"}},
        {"error": "No such call"},
        {"error": {"message": "No such call"}},
        {"title": "Not found", "detail": "No such call"},
    ],
)
def test_the_carriers_own_words_are_found_where_carriers_put_them(body: dict[str, object]) -> None:
    assert refusal(Said(404, body)) == "Acme refused to hang up (404): No such call"


@pytest.mark.parametrize("odd", [None, 1, "", [], {}, [1], [[]], True])
def test_words_that_are_none_are_left_out(odd: object) -> None:
    body = {"message": odd, "errors": odd, "error": odd, "RestException": odd}

    assert refusal(Said(400, body)) == "Acme refused to hang up (400)"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (f"key {SECRET} is wrong", "key … is wrong"),
        ("dXNlcjpDQU5BUlktc2VjcmV0 is wrong", "… is wrong"),
        ("'+14158675309' is not valid", "'…' is not valid"),
        ("call (415) 867-5309 now", "call (… now"),
        ("from 415.867.5309.", "from …."),
        ("no sip:alice@pbx.example here", "no … here"),
        ("at wss://x.example/media/tok?a=b", "at …"),
        ("call CA" + 32 * "0" + " is over", "call … is over"),
        ("error 20404 at 12:30", "error … at 12:30"),
        ("a\r\nb\x1b[31m\u202ec", "a  b [31m c"),
    ],
)
def test_nothing_private_that_a_carrier_quotes_comes_into_a_sentence(
    words: str, shown: str
) -> None:
    assert rest(FarEnd()).quoted(words) == shown


@given(st.text(max_size=3 * LONGEST_QUOTE))
def test_foreign_words_are_short_and_on_one_line(words: str) -> None:
    quoted = rest(FarEnd()).quoted(words)

    assert len(quoted) <= LONGEST_QUOTE
    assert quoted.isprintable()


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {"id": 1}}, {"data": {"id": ""}}])
def test_an_answer_without_its_id_is_told_by_what_it_has_not(body: dict[str, object]) -> None:
    with pytest.raises(CarrierApiError, match=r"^Acme's answer has no data.id$"):
        rest(FarEnd()).id_in(Said(200, body), "data", "id")


@pytest.mark.parametrize("n", [LONGEST_ID, LONGEST_ID + 1])
def test_an_id_that_is_too_long_is_none(n: int) -> None:
    said = Said(200, {"id": "x" * n})

    if n == LONGEST_ID:
        assert rest(FarEnd()).id_in(said, "id") == "x" * n
    else:
        with pytest.raises(CarrierApiError):
            rest(FarEnd()).id_in(said, "id")


def test_an_answer_that_cannot_be_read_says_why_it_has_no_id() -> None:
    with pytest.raises(CarrierApiError, match="has no id: it is compressed"):
        rest(FarEnd()).id_in(Said(200, flaw="it is compressed"), "id")


@pytest.mark.parametrize("name", ["To", "to", "TO", "tO"])
def test_what_is_ours_cannot_be_set_by_others_in_any_spelling(name: str) -> None:
    with pytest.raises(CarrierApiError, match="cannot set To, From"):
        forbid({name: SECRET}, "To", "From")
    forbid({"Timeout": 1}, "To", "From")


def test_plain_values_become_fields_and_others_are_refused() -> None:
    fields = {"a": True, "b": False, "c": 1, "d": 1.5, "e": "x", "f": ["y", 2], "g": None}

    assert as_form(fields) == {
        "a": "true",
        "b": "false",
        "c": "1",
        "d": "1.5",
        "e": "x",
        "f": ["y", "2"],
    }
    odds: list[object] = [{}, [[]], [{}], [None]]
    for odd in odds:
        with pytest.raises(CarrierApiError, match="additional parameters are"):
            as_form({"a": odd})


@pytest.mark.parametrize("call_id", ["", ".", "..", "..."])
def test_an_id_that_would_leave_its_place_in_a_path_is_none(call_id: str) -> None:
    with pytest.raises(CarrierApiError, match="no id at its carrier"):
        path_of(call_id)


def test_an_id_is_one_segment_of_a_path() -> None:
    assert path_of("v3:a/b?c#d..") == "v3%3Aa%2Fb%3Fc%23d.."
