"""Somebody else's API: nobody there, a proxy that is none, the key where it belongs, and what is not loaded for it."""

import subprocess
import sys

import pytest

from bridge.batch.remote import remote_api
from bridge.client import ApiError
from bridge.errors import UsageError


async def test_an_api_where_nobody_is_says_so() -> None:
    async with remote_api("http://127.0.0.1:9", None) as api:
        with pytest.raises(ApiError, match=r"the API at 127\.0\.0\.1:9 refuses the connection"):
            await api.create({})


async def test_a_proxy_of_the_environment_that_is_none_is_wrong_usage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALL_PROXY", "foo://user:CANARY@127.0.0.1:1")

    with pytest.raises(UsageError, match="proxy") as caught:
        async with remote_api("http://127.0.0.1:1", None):
            pass
    assert "CANARY" not in str(caught.value)


def test_nothing_of_our_own_server_is_loaded_for_it() -> None:
    asked = "import sys, bridge.batch.remote; print(any(n in sys.modules for n in ('fastapi', 'bridge.gateway')))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "False"
