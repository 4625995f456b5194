import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.client import ANSWER_S, LIST_S, MAX_PAGES, ApiError, CallApi
from bridge.errors import JoinRefused
from bridge.legs.media_socket import MediaSocket
from bridge.virtual import run_virtual
from tests.fakes.http_bodies import Dripping, Endless

BASE = "https://api.test"
KEY = "AbCdEf12.secret-secret"
CALL = {"callId": "c1", "joinUrl": "wss://api.test/join"}

Answer = Callable[[httpx.Request], httpx.Response | Coroutine[Any, Any, httpx.Response]]


async def nobody(url: str) -> MediaSocket:
    raise JoinRefused(f"nobody at {url}")


def api(answer: Answer) -> CallApi:
    http = httpx.AsyncClient(
        base_url=BASE,
        headers={"X-API-Key": KEY},
        transport=httpx.MockTransport(answer),  # type: ignore[arg-type]
    )
    return CallApi(http, nobody)


def always(status: int = 200, **body: object) -> Answer:
    return lambda request: httpx.Response(status, **body)  # type: ignore[arg-type]


async def refused(answer: Answer) -> ApiError:
    with pytest.raises(ApiError) as caught:
        await api(answer).call("c1")
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)
    return caught.value


async def test_create_posts_the_body_with_the_key_and_gives_the_call() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201, json=CALL)

    assert await api(answer).create({"model": "m"}) == CALL
    [request] = seen
    assert (request.method, request.url.path) == ("POST", "/api/calls")
    assert json.loads(request.content) == {"model": "m"}
    assert request.headers["X-API-Key"] == KEY


async def test_create_for_an_agent_asks_under_the_agent_whatever_its_name() -> None:
    seen: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path.decode())
        return httpx.Response(201, json=CALL)

    await api(answer).create({}, agent="../x?y")
    assert seen == ["/api/agents/..%2Fx%3Fy/calls"]


@pytest.mark.parametrize("call", [{}, {"callId": "c1"}, {"callId": 1, "joinUrl": "ws://x"}])
async def test_an_answer_without_a_join_url_or_an_id_is_no_call(call: dict[str, object]) -> None:
    with pytest.raises(ApiError, match="no callId or no joinUrl"):
        await api(always(201, json=call)).create({})


async def test_join_opens_the_socket_of_the_join_url() -> None:
    with pytest.raises(JoinRefused, match="nobody at ws://x"):
        await api(always()).join("ws://x")


async def test_the_sentence_of_an_error_body_is_kept_with_the_status() -> None:
    error = await refused(always(404, json={"detail": "No such call."}))

    assert str(error) == "the API answered GET /api/calls/c1 with 404: No such call."
    assert error.status == 404


async def test_field_errors_are_told_by_field() -> None:
    error = await refused(always(400, json={"model": ["Unknown.", "Try x."], "medium": ["No."]}))

    assert str(error).endswith("with 400: model: Unknown. Try x. medium: No.")


@pytest.mark.parametrize(
    "body", ["{}", '{"model":[]}', '{"model":{"a":["No."]}}', '{"a":["A"],"b":1}']
)
async def test_errors_of_another_form_are_kept_as_they_are(body: str) -> None:
    error = await refused(always(400, content=body.encode()))

    assert str(error).endswith(f"with 400: {body}")


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b"\xff", b'"text"'])
async def test_an_error_without_a_usable_body_is_told_by_its_status_alone(content: bytes) -> None:
    error = await refused(always(503, content=content))

    assert str(error) == "the API answered GET /api/calls/c1 with 503"


async def test_foreign_words_are_cut_put_on_one_line_and_stripped_of_the_key() -> None:
    words = f"\x1b[31mYour key {KEY}\r\nis wrong " + 1_000 * "x"
    error = await refused(always(401, json={"detail": words}))

    assert "Your key … is wrong" in str(error).replace("  ", " ")
    assert str(error).isprintable()
    assert len(str(error)) < 600


@pytest.mark.parametrize("repeated", ["Bearer CANARY-bearer", "CANARY-bearer"])
async def test_a_key_in_a_header_of_another_name_is_not_repeated_either(repeated: str) -> None:
    http = httpx.AsyncClient(
        base_url=BASE,
        headers={"Authorization": "Bearer CANARY-bearer"},
        transport=httpx.MockTransport(always(401, json={"detail": f"{repeated} is wrong"})),  # type: ignore[arg-type]
    )
    with pytest.raises(ApiError, match=r"… is wrong") as caught:
        await CallApi(http, nobody, key_header="Authorization").call("c1")

    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    error = await refused(always(status, headers={"Location": "https://evil.test/"}))

    assert error.status == status


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no valid JSON"),
        (b"{", "no valid JSON"),
        (b"[]", "no JSON object"),
        (b'{"a": NaN}', "no valid JSON"),
        (b'{"a": 1, "a": 2}', "no valid JSON"),
        (b"[" * 100_000, "no valid JSON"),
        (b"\xff\xfe", "no valid JSON"),
    ],
)
async def test_a_body_that_is_no_object_is_refused_in_a_sentence(content: bytes, why: str) -> None:
    assert why in str(await refused(always(content=content)))


async def test_of_an_endless_body_no_more_is_read_than_shows_that_it_is_too_long() -> None:
    body = Endless()

    assert "no valid JSON" in str(await refused(always(stream=body)))
    assert body.read < 2 * 1024 * 1024


def test_a_body_that_drips_is_waited_for_no_longer_than_any_other_answer() -> None:
    async def ask() -> float:
        error = await refused(always(stream=Dripping()))
        assert str(error) == "the API at api.test did not answer GET /api/calls/c1 in time"
        return asyncio.get_running_loop().time()

    assert run_virtual(ask()) == pytest.approx(ANSWER_S)


def test_pages_that_come_slowly_are_waited_for_no_longer_than_a_list_may_take() -> None:
    n = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal n
        n += 1
        await asyncio.sleep(ANSWER_S - 1)
        return httpx.Response(200, json={"results": [], "next": f"?cursor={n}"})

    async def ask() -> float:
        with pytest.raises(ApiError, match="did not answer GET /api/calls/c1/events in time"):
            await api(answer).events("c1")
        return asyncio.get_running_loop().time()

    assert run_virtual(ask()) == pytest.approx(LIST_S)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "GZIP, gzip"])
async def test_a_compressed_answer_is_refused_before_it_is_unpacked(encoding: str) -> None:
    seen: list[str] = []

    class Unread(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            raise AssertionError("it was read")
            yield b""

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers["Accept-Encoding"])
        return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Unread())

    assert "compresses its answers" in str(await refused(answer))
    assert seen == ["identity"]


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.ReadTimeout("x"), "did not answer GET /api/calls/c1 in time"),
        (httpx.ConnectError("connection refused"), "cannot be reached: connection refused"),
        (AttributeError("of a connection reset as it opened"), "cannot be reached: of a conn"),
        (httpx.RemoteProtocolError(""), "cannot be reached: RemoteProtocolError"),
        (httpx.ConnectError(f"with {KEY}\n"), "cannot be reached: with … "),
    ],
)
async def test_a_failing_connection_is_one_sentence_with_status_0(
    failure: Exception, words: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        raise failure

    error = await refused(answer)
    assert words in str(error)
    assert error.status == 0


async def test_an_api_that_cannot_be_reached_is_named_without_its_password() -> None:
    address = f"http://user:{KEY}@127.0.0.1:9"
    async with httpx.AsyncClient(base_url=address, trust_env=False) as http:
        with pytest.raises(ApiError) as caught:
            await CallApi(http, nobody).call("c1")

    assert "127.0.0.1:9 refuses the connection" in str(caught.value)
    assert "check" in str(caught.value)
    assert KEY not in str(caught.value)


def pages(*followings: object) -> tuple[list[str], Answer]:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        n = len(asked) - 1
        following = followings[n] if n < len(followings) else None
        return httpx.Response(200, json={"results": [{"n": n}], "next": following})

    return asked, answer


async def test_all_pages_are_read_in_order() -> None:
    asked, answer = pages(f"{BASE}/api/calls/c1/messages?cursor=1", "?cursor=2")

    assert await api(answer).messages("c1") == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [url.partition("?")[2] for url in asked] == ["pageSize=100", "cursor=1", "cursor=2"]


async def test_events_are_read_from_their_own_place() -> None:
    asked, answer = pages()

    await api(answer).events("c1")
    assert asked == [f"{BASE}/api/calls/c1/events?pageSize=100"]


async def test_the_key_is_never_sent_where_a_page_points() -> None:
    asked, answer = pages("https://evil.test/steal?cursor=1", "//evil.test/?cursor=2")

    await api(answer).messages("c1")
    assert all(url.startswith(f"{BASE}/api/calls/c1/messages?") for url in asked)


@pytest.mark.parametrize("following", [1, [], "", "no query", "http://[half", {"a": 1}])
async def test_a_next_page_that_is_no_address_ends_the_list(following: object) -> None:
    _, answer = pages(following)

    assert len(await api(answer).messages("c1")) == 1


async def test_pages_that_go_round_are_read_once() -> None:
    asked, answer = pages(*["?cursor=1"] * 10)

    await api(answer).messages("c1")
    assert len(asked) == 2


async def test_pages_without_end_are_read_up_to_the_limit() -> None:
    n = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal n
        n += 1
        await asyncio.sleep(0)
        return httpx.Response(200, json={"results": [], "next": f"?cursor={n}"})

    await api(answer).messages("c1")
    assert n == MAX_PAGES


@pytest.mark.parametrize(("n_pages", "refused"), [(5, False), (6, True)])
async def test_pages_that_are_too_long_together_are_refused(
    monkeypatch: pytest.MonkeyPatch, n_pages: int, refused: bool
) -> None:
    page = b'{"results": [{}], "next": "?cursor=%d"}'
    monkeypatch.setattr("bridge.client.MAX_LIST_BYTES", 5 * len(page % 0))
    n = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal n
        n += 1
        return httpx.Response(200, content=page % (n if n < n_pages else n - 1))

    if refused:
        with pytest.raises(ApiError, match="answered GET /api/calls/c1/messages with over"):
            await api(answer).messages("c1")
    else:
        assert len(await api(answer).messages("c1")) == n_pages
    assert n == n_pages


async def test_items_that_are_no_objects_are_passed_over() -> None:
    answer = always(json={"results": [1, {"a": 1}, None, "x"]})

    assert await api(answer).messages("c1") == [{"a": 1}]
    assert await api(always(json={"results": "x"})).messages("c1") == []


async def test_an_id_from_a_foreign_server_stays_within_its_place() -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.raw_path)
        return httpx.Response(200, json={})

    await api(answer).call("../../admin?x=\n")
    assert seen == [b"/api/calls/..%2F..%2Fadmin%3Fx%3D%0A"]


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(200, 599))
def test_any_answer_gives_an_object_or_one_clear_error(content: bytes, status: int) -> None:
    async def ask() -> None:
        try:
            answer: object = await api(always(status, content=content)).call("c1")
        except ApiError as exc:
            answer = str(exc)

        assert isinstance(answer, dict) or str(answer).isprintable()

    run_virtual(ask())
