"""What is private to aiortc and aioice is there, in the versions that are pinned."""

import asyncio
import inspect
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from aioice.ice import Connection, StunProtocol
from aiortc import RTCPeerConnection
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpReceiveParameters, RTCRtpSendParameters
from aiortc.rtcsctptransport import RTCSctpTransport

from bridge.legs.webrtc import inside
from tests.fakes.rtc_pair import an_offer, connect, make_side, sides, tone, until

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", inside.TESTED)
def test_the_installed_version_is_one_that_this_is_written_for(name: str) -> None:
    assert version(name).startswith(inside.TESTED[name] + ".")


def test_the_package_pins_the_minor_version() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    major, minor = inside.TESTED["aiortc"].split(".")
    asked = extras["optional-dependencies"]["webrtc"]
    assert f"aiortc>={major}.{minor},<{major}.{int(minor) + 1}" in asked


async def test_every_attribute_that_is_relied_on_is_there() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        connection = caller.peer._connection
        [transport] = inside._ice_transports(connection)
        transceiver = connection.getTransceivers()[0]
        ice = transport._connection
        things: list[Any] = [
            *(connection, transport, transceiver.receiver.transport, transceiver.receiver),
            *(transceiver.sender, transceiver, connection.sctp, ice, ice._protocols[0]),
            *(ice._nominated[1], ice._remote_candidates[0]),
        ]
        for kind, names in inside.RELIED_ON.items():
            thing = next(thing for thing in things if isinstance(thing, kind))
            missing = [name for name in names if not hasattr(thing, name)]
            assert not missing, f"{kind.__name__} has lost {missing}"


def test_a_vanished_attribute_would_be_noticed() -> None:
    assert not hasattr(RTCPeerConnection(), "_RTCPeerConnection__iceTransport")


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (Connection.get_component_candidates, ["self", "component", "addresses", "timeout"]),
        (Connection.data_received, ["self", "data", "component"]),
        (Connection.add_remote_candidate, ["self", "remote_candidate"]),
        (RTCSctpTransport._receive_data_chunk, ["self", "chunk"]),
        (RTCSctpTransport._receive, ["self", "stream_id", "pp_id", "data"]),
        (RTCSctpTransport._handle_data, ["self", "data"]),
        (Connection.check_incoming, ["self", "message", "addr", "protocol"]),
        (Connection.check_state, ["self", "pair", "state"]),
        (Connection.respond_error, ["self", "request", "addr", "protocol", "error_code"]),
        (StunProtocol.datagram_received, ["self", "data", "addr"]),
        (StunProtocol.send_stun, ["self", "message", "addr"]),
    ],
)
def test_what_is_overridden_is_called_as_before(function: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters


async def test_reports_tell_each_side_what_was_sent_and_received() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        caller.lane.push(tone(1.0))
        await asyncio.sleep(0.3)
        sent = [
            s
            for s in (await caller.peer._connection.getStats()).values()
            if s.type == "outbound-rtp"
        ]
        got = [
            s
            for s in (await answerer.peer._connection.getStats()).values()
            if s.type == "inbound-rtp"
        ]
        assert max(s.packetsSent for s in sent) > 5
        assert max(s.packetsReceived for s in got) > 5


async def test_loss_that_the_peer_reports_makes_packets_carry_copies() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        out = caller.peer._section._out
        assert out is not None
        assert out.loss_percent == 0
        for lost, percent in ((0.02, 0), (0.04, 5), (0.08, 10), (0.3, 20)):
            out._sender.lost = lost
            assert out.loss_percent == percent


async def test_nothing_goes_out_once_the_transport_is_not_connected() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        out = caller.peer._section._out
        assert out is not None
        await until(lambda: out._packets > 1)
        before = out._packets
        for state in (State.CONNECTING, State.CLOSED, State.FAILED):
            out._transport._state = state
            out.send(b"x", 0)
        assert out._packets == before
        out._transport._state = State.CONNECTED


async def test_no_thread_decodes_and_no_task_sends() -> None:
    async with sides() as (caller, answerer):
        await connect(caller, answerer)
        names = {repr(task.get_coro()) for task in asyncio.all_tasks()}
        assert not [name for name in names if "_run_rtp" in name]


async def test_what_was_stopped_while_its_connection_came_about_never_begins() -> None:
    """aiortc goes on connecting while it closes: a report to nobody every second, for ever, for each such call."""
    side = make_side("closed early")
    await side.peer.answer(await an_offer())
    transceivers = side.peer._connection.getTransceivers()
    await side.close()
    before = asyncio.all_tasks()
    for transceiver in transceivers:
        await transceiver.receiver.receive(RTCRtpReceiveParameters())
        await transceiver.sender.send(RTCRtpSendParameters())

    assert transceivers
    assert asyncio.all_tasks() == before
    assert side.peer._section._out is None
