"""Dialled calls whose media socket is there and never becomes a stream: nobody stays on a line that is dead."""

import asyncio

import pytest

from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from tests.fakes.direct_calls import DirectWorld, direct_world
from tests.fakes.socket_log import SocketLog


async def silent_socket(here: DirectWorld, call_id: str) -> SocketLog:
    """A socket at the call's address before its carrier's own, which then finds the place taken."""
    opened = here.phones.server.service._open[call_id]
    path = f"calls/{call_id}/{opened.record.join_token}/telephony"
    socket = await here.phones.network.connect(f"wss://bridge.example/{path}", {})
    log = SocketLog()
    socket.start(log)
    return log


@pytest.mark.parametrize(
    ("closes", "reason"), [(False, "connection_error"), (True, "system_error")]
)
def test_a_dialled_phone_is_hung_up_when_its_stream_never_starts(closes: bool, reason: str) -> None:
    async def call() -> None:
        table: dict[str, object] = {"connection_id": "application-1"}
        async with direct_world(name="telnyx", table=table) as here:
            here.carrier.plan_for = lambda _to: CallerPlan(tail_s=300.0)
            call_id = (await here.dial()).json()["callId"]
            log = await silent_socket(here, call_id)
            await asyncio.sleep(5.0)
            if closes:
                await here.phones.server.service.close()
            await asyncio.sleep(10.0)

            [phone] = here.placed
            assert log.closes
            assert (await here.ended(call_id))["endReason"] == reason
            assert phone.status == "completed"
            assert phone.end is not None
            assert "REST" in phone.end.how

    run_virtual(call())
