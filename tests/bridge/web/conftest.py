"""One browser for all tests of a module: to start one takes as long as ten tests."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.fakes.chromium import Browser, connected, launched


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running Chromium; skips where there is none."""
    with launched(tmp_path_factory.mktemp("browser")) as address:
        yield address


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """A window of its own in it."""
    async with connected(chromium) as browser:
        yield browser
