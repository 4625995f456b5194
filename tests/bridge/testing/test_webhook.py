"""What comes of a carrier's request to an application that does not answer as it should."""

import httpx
import pytest

from bridge.testing.network import VirtualNetwork
from bridge.testing.webhook import Webhook, WebhookFailed, ask

URL = "https://bridge.example/answer"


class Failing(VirtualNetwork):
    """Every request ends like this."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def _make(self, base_url: str) -> httpx.AsyncClient:
        def fail(request: httpx.Request) -> httpx.Response:
            raise self._error

        return httpx.AsyncClient(base_url=base_url, transport=httpx.MockTransport(fail))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("connection refused"), "cannot be reached .connection refused"),
        (httpx.ReadTimeout("x"), "did not answer within 1 s"),
        # what anyio on uvloop raises of a connection that is reset as it opens
        (AttributeError("'NoneType' object has no attribute 'getpeername'"), "cannot be reached"),
    ],
)
async def test_a_request_that_fails_says_why_in_a_sentence(error: Exception, words: str) -> None:
    network = Failing(error)
    try:
        with pytest.raises(WebhookFailed, match=words):
            await ask(network, Webhook(URL), 1.0)
    finally:
        await network.close()
