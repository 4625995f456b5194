import asyncio
import logging

import pytest

from bridge.gateway.phone.quiet_log import QuietLog
from bridge.virtual import run_virtual


def test_ten_lines_a_second_pass_and_the_rest_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def test() -> None:
        quiet = QuietLog(logging.getLogger("bridge.test"))
        for n in range(25):
            quiet.warning("line %d", n)
        assert len(caplog.messages) == 10

        await asyncio.sleep(0.1)
        quiet.warning("another")
        assert caplog.messages[10:] == ["! 15 more such lines were left out", "another"]

    run_virtual(test())
