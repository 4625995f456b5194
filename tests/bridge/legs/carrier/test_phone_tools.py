import asyncio
from collections.abc import Coroutine

import numpy as np
import pytest

from bridge.legs.base import MessageEvent
from bridge.legs.carrier.phone_tools import (
    FINISH_S,
    LONGEST_S,
    MAX_DIGITS,
    MAX_RUNNING,
    MAX_TRANSFERS,
)
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import Traits
from bridge.wire.messages import ClientToolInvocation, ClientToolResult
from bridge_codecs.dtmf_detector import DtmfDetector
from tests.bridge.legs.carrier.plain_call import HandLine, PlainCall, opened_call, running_call


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def traits(**fields: object) -> Traits:
    return Traits(**{"name": "twilio", "marks": "none", "clears": True, **fields})  # type: ignore[arg-type]


def invoke(call: PlainCall, tool: str, *, id_: str = "i1", **parameters: object) -> None:
    call.leg.receive(
        MessageEvent(ClientToolInvocation(tool_name=tool, invocation_id=id_, parameters=parameters))
    )


def results(call: PlainCall) -> list[ClientToolResult]:
    return [message for message in call.ends.messages if isinstance(message, ClientToolResult)]


def keys_heard(call: PlainCall) -> str:
    sent = np.frombuffer(b"".join(data for _, data in call.socket.frames), np.int16)
    return "".join(digit.key for digit in DtmfDetector(8_000).push(sent))


OK = ClientToolResult(invocation_id="i1", result="OK")


def test_keys_are_pressed_as_tones_behind_what_the_agent_has_said() -> None:
    async def call() -> None:
        call = await running_call(traits(digits_by="tones"))
        call.speak(0.5)
        invoke(call, "playDtmfSounds", digits="12#d")
        await asyncio.sleep(3)

        assert keys_heard(call) == "12#D"
        assert call.sent_s == pytest.approx(0.5 + 4 * 0.3)
        assert results(call) == [OK]
        await call.over()

    run(call())


@pytest.mark.parametrize(("tone", "space"), [("0.1s", "0.05s"), (0.1, 0.05), ("0.1", "0.05")])
def test_tones_are_as_long_as_asked_for(tone: object, space: object) -> None:
    async def call() -> None:
        call = await running_call(traits(digits_by="tones"))
        invoke(call, "playDtmfSounds", digits="42", toneDuration=tone, spaceDuration=space)
        await asyncio.sleep(2)

        assert keys_heard(call) == "42"
        assert call.sent_s == pytest.approx(0.3)
        await call.over()

    run(call())


def test_keys_are_pressed_by_message_where_the_carrier_takes_one_once_the_agent_was_heard() -> None:
    async def call() -> None:
        call = await running_call(traits(digits_by="message"))
        call.speak(0.5)
        invoke(call, "playDtmfSounds", digits=7)
        await asyncio.sleep(2)

        assert [at for at, sent in call.socket.sent if sent == "press 7"] == [pytest.approx(0.71)]
        assert results(call) == [OK]
        await call.over()

    run(call())


def test_keys_are_pressed_by_rest_where_the_carrier_wants_it_so() -> None:
    async def call() -> None:
        line = HandLine()
        call = await running_call(traits(digits_by="rest"), line=line)
        invoke(call, "playDtmfSounds", digits="*9")
        await asyncio.sleep(1)

        assert line.acts == ["press *9"]
        assert results(call) == [OK]
        await call.over()

    run(call())


def test_without_credentials_keys_are_tones_after_all() -> None:
    async def call() -> None:
        call = await running_call(traits(digits_by="rest"))
        invoke(call, "playDtmfSounds", digits="5")
        await asyncio.sleep(1)

        assert keys_heard(call) == "5"
        await call.over()

    run(call())


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"digits": ""},
        {"digits": "12x"},
        {"digits": ["1"]},
        {"digits": "1" * (MAX_DIGITS + 1)},
        {"digits": "1", "toneDuration": "long"},
        {"digits": "1", "spaceDuration": -1},
        {"digits": "1", "toneDuration": f"{LONGEST_S}s"},
        {"digits": "1", "toneDuration": "9" * 400 + "s"},
    ],
)
def test_what_cannot_be_pressed_is_told_and_nothing_is_sent(parameters: dict[str, object]) -> None:
    async def call() -> None:
        call = await running_call(traits())
        invoke(call, "playDtmfSounds", **parameters)  # type: ignore[arg-type]
        await asyncio.sleep(1)

        [result] = results(call)
        assert result.error_type == "implementation-error"
        assert result.error_message is not None
        assert result.error_message.startswith("playDtmfSounds: ")
        assert not call.frames
        await call.over()

    run(call())


def test_the_longest_tones_that_are_allowed_are_pressed() -> None:
    async def call() -> None:
        call = await running_call(traits())
        invoke(call, "playDtmfSounds", digits="12345", toneDuration="2s", spaceDuration="1s")
        await asyncio.sleep(20)

        assert keys_heard(call) == "12345"
        await call.over()

    run(call())


# Transfer


def test_the_caller_is_sent_elsewhere_once_the_agent_was_heard() -> None:
    async def call() -> None:
        line = HandLine()
        call = await running_call(traits(transfers=True), line=line)
        call.speak(1)
        invoke(call, "coldTransfer", target="+15550100")
        await asyncio.sleep(2)

        assert line.acts == ["transfer +15550100"]
        assert line.done[0][0] == pytest.approx(1.21)
        assert results(call) == [OK]
        await call.over()

    run(call())


@pytest.mark.parametrize("first", ["the carrier stops", "we hang up"])
def test_a_caller_who_was_sent_elsewhere_is_not_hung_up(first: str) -> None:
    async def call() -> None:
        line = HandLine(takes_s=0.5)
        call = await running_call(traits(transfers=True), line=line)
        invoke(call, "coldTransfer", target="sip:desk@example.org")
        await asyncio.sleep(0.1)
        if first == "the carrier stops":
            await asyncio.sleep(1)
            call.say("stop stopped")
        await call.leg.hang_up()

        assert line.acts == ["transfer sip:desk@example.org"]
        assert call.socket.closed
        await call.stop_running()

    run(call())


def test_a_transfer_that_failed_leaves_the_call_to_be_hung_up() -> None:
    async def call() -> None:
        line = HandLine(fails=True)
        call = await running_call(traits(transfers=True), line=line)
        invoke(call, "coldTransfer", target="+15550100")
        await asyncio.sleep(1)
        [result] = results(call)
        line.fails = False
        await call.leg.hang_up()

        assert result.error_message is not None
        assert "status 500" in result.error_message
        assert line.acts == ["hang up"]
        await call.stop_running()

    run(call())


def test_a_caller_who_is_being_sent_elsewhere_is_not_sent_to_another() -> None:
    async def call() -> None:
        line = HandLine(takes_s=1)
        call = await running_call(traits(transfers=True), line=line)
        invoke(call, "coldTransfer", id_="first", target="+15550100")
        await asyncio.sleep(0.1)
        invoke(call, "coldTransfer", id_="second", target="+15550199")
        await asyncio.sleep(0.1)
        [refused] = results(call)
        await call.leg.hang_up()

        assert refused.invocation_id == "second"
        assert "being sent elsewhere already" in (refused.error_message or "")
        assert line.acts == ["transfer +15550100"]  # it was waited for
        await call.stop_running()

    run(call())


def test_a_transfer_may_fail_so_often_and_is_then_tried_no_more() -> None:
    async def call() -> None:
        line = HandLine(fails=True)
        call = await running_call(traits(transfers=True), line=line)
        for n in range(MAX_TRANSFERS + 1):
            invoke(call, "coldTransfer", id_=f"i{n}", target="+15550100")
            await asyncio.sleep(1)

        told = [result.error_message or "" for result in results(call)]
        assert ["status 500" in each for each in told] == [True] * MAX_TRANSFERS + [False]
        assert "failed too often" in told[-1]
        await call.over()

    run(call())


@pytest.mark.parametrize("can", [True, False])
def test_without_the_means_a_transfer_is_refused_in_a_sentence(can: bool) -> None:
    async def call() -> None:
        line = None if can else HandLine()
        call = await running_call(traits(transfers=can), line=line)
        invoke(call, "coldTransfer", target="+15550100")
        await asyncio.sleep(1)

        [result] = results(call)
        why = "credentials" if can else "cannot send a caller elsewhere"
        assert why in (result.error_message or "")
        await call.over()

    run(call())


@pytest.mark.parametrize("target", [None, "", 5, "+1\r\n555", "1" * 257])
def test_a_target_that_is_none_is_refused(target: object) -> None:
    async def call() -> None:
        line = HandLine()
        call = await running_call(traits(transfers=True), line=line)
        invoke(call, "coldTransfer", target=target)
        await asyncio.sleep(1)

        assert results(call)[0].error_message == (
            "coldTransfer: the target must be a telephone number with its country, such as +15550100; "
            "a SIP address may only be the operator's own transfer_to"
        )
        assert line.acts == []
        await call.over()

    run(call())


# Bounds


def test_other_client_tools_are_somebody_elses() -> None:
    async def call() -> None:
        call = await running_call(traits())
        invoke(call, "lookUpWeather", place="here")
        await asyncio.sleep(1)

        assert results(call) == []
        await call.over()

    run(call())


def test_a_tool_before_anybody_listens_is_nobodys() -> None:
    async def call() -> None:
        call = await opened_call(traits())
        invoke(call, "playDtmfSounds", digits="1")
        await asyncio.sleep(1)

        assert results(call) == []
        await call.leg.hang_up()

    run(call())


def test_no_more_than_so_many_tools_run_at_once() -> None:
    async def call() -> None:
        line = HandLine(takes_s=1)
        call = await running_call(traits(digits_by="rest"), line=line)
        for n in range(MAX_RUNNING + 1):
            invoke(call, "playDtmfSounds", id_=f"i{n}", digits="1")
        await asyncio.sleep(3)

        assert len(line.acts) == MAX_RUNNING
        assert [r.invocation_id for r in results(call) if r.error_type] == [f"i{MAX_RUNNING}"]
        await call.over()

    run(call())


def test_a_transfer_that_takes_for_ever_holds_the_end_up_for_some_seconds_only() -> None:
    async def call() -> None:
        line = HandLine(takes_s=1_000)
        call = await running_call(traits(transfers=True, ends_by="close"), line=line)
        invoke(call, "coldTransfer", target="+15550100")
        await asyncio.sleep(0.1)
        began = call.now
        await call.leg.hang_up()

        assert call.now - began == pytest.approx(FINISH_S)
        assert call.socket.closed
        await call.stop_running()

    run(call())


def test_a_line_that_breaks_inside_is_a_result_too() -> None:
    class Broken(HandLine):
        async def transfer(self, target: str) -> None:
            raise RuntimeError(target)

    async def call() -> None:
        call = await running_call(traits(transfers=True), line=Broken())
        invoke(call, "coldTransfer", target="+15550100")
        await asyncio.sleep(1)

        assert results(call)[0].error_message == "coldTransfer: it failed inside"
        await call.over()

    run(call())
