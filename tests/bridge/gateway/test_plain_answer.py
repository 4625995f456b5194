"""The answers that the front door writes itself."""

import json

import h11
import pytest

from bridge.gateway.plain_answer import plain_answer


@pytest.mark.parametrize("status", [400, 408, 426, 431, 503, 799])
def test_an_answer_is_whole_http_with_a_detail(status: int) -> None:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    client.send(h11.EndOfMessage())

    client.receive_data(plain_answer(status, 'No "é".', ["X-More: 1"]))
    response, body, end = client.next_event(), client.next_event(), client.next_event()

    assert isinstance(response, h11.Response)
    assert response.status_code == status
    assert (b"x-more", b"1") in response.headers
    assert (b"connection", b"close") in response.headers
    assert isinstance(body, h11.Data)
    assert json.loads(body.data) == {"detail": 'No "é".'}
    assert isinstance(end, h11.EndOfMessage)
