"""A carrier's API that answers as told and remembers what it was asked."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

import httpx
import pytest

from bridge.legs.phone_line import CarrierApiError

Answer: TypeAlias = httpx.Response | Exception | Callable[[], Coroutine[Any, Any, httpx.Response]]


class FarEnd:
    """Gives its answers one after another, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.asked: list[httpx.Request] = []
        self._answers: Sequence[Answer] = answers

    def client(self, base_url: str) -> httpx.AsyncClient:
        """A client that reaches nothing but this."""
        return httpx.AsyncClient(base_url=base_url, transport=httpx.MockTransport(self._answer))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        answer = self._answers[min(len(self.asked), len(self._answers) - 1)]
        self.asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else await answer()


def form_of(request: httpx.Request) -> list[tuple[str, str]]:
    """The fields of a form, sorted."""
    return sorted(parse_qsl(request.content.decode(), keep_blank_values=True))


async def refusal(done: Awaitable[object], *secrets: str) -> str:
    """The sentence with which this fails; it repeats no secret."""
    with pytest.raises(CarrierApiError) as caught:
        await done
    sentence = str(caught.value)
    assert not any(secret in sentence for secret in secrets)
    return sentence
