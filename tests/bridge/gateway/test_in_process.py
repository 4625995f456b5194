import pytest

from bridge.errors import JoinRefused
from bridge.gateway.in_process import in_process
from bridge.gateway.server import call_server
from bridge.virtual import run_virtual
from tests.fakes.call_world import OneBrain

BODY: dict[str, object] = {"medium": {"serverWebSocket": {"inputSampleRate": 8_000}}}


def refused_at(url: str) -> str:
    async def test() -> str:
        async with (
            call_server(OneBrain(), recordings=None, seed="s") as server,
            in_process(server) as api,
        ):
            with pytest.raises(JoinRefused) as refused:
                await api.join(url)
            return str(refused.value)

    return run_virtual(test())


@pytest.mark.parametrize("public_url", [None, "wss://b.example", "wss://b.example/behind/a/proxy"])
def test_a_call_is_made_and_joined_whatever_its_public_address(public_url: str | None) -> None:
    async def test() -> None:
        async with (
            call_server(OneBrain(), recordings=None, seed="s", public_url=public_url) as server,
            in_process(server) as api,
        ):
            call = await api.create(BODY)
            socket = await api.join(str(call["joinUrl"]))
            socket.close()

    run_virtual(test())


@pytest.mark.parametrize("url", ["http://[", "wss://x/y", "wss://x/calls/y"])
def test_what_is_no_join_url_joins_nothing(url: str) -> None:
    assert refused_at(url).startswith("there is nothing to join")


def test_a_call_that_is_not_there_is_refused_with_its_status() -> None:
    token, call = "t" * 32, "0" * 8 + "-0000-4000-8000-" + "0" * 12
    assert "404" in refused_at(f"wss://x/calls/{call}/{token}/server_web_socket")
