import asyncio

import pytest

from bridge.errors import UsageError
from bridge.gateway.phone.carriers.base import CallComes, PhoneNumbers
from bridge.gateway.phone.carriers.telnyx import Telnyx
from bridge.gateway.phone.carriers.texml_line import MOST, Targets, TexmlLine
from bridge.legs.phone_line import TransfersOnClose
from tests.bridge.legs.carrier.plain_call import HandLine


class HandApi:
    """An API with one line."""

    def __init__(self) -> None:
        self.only = HandLine()

    def line(self, _call_id: str) -> HandLine:
        return self.only


def comes(*, by_rest: bool) -> CallComes:
    return CallComes("c1", PhoneNumbers(), by_rest=by_rest)


def test_a_document_connects_the_caller_whenever_it_asks_and_others_hang_up() -> None:
    async def call() -> None:
        carrier = Telnyx(None)
        carrier.api = api = HandApi()  # type: ignore[assignment]
        line = carrier.line_of(comes(by_rest=False))
        assert isinstance(line, TransfersOnClose)
        await line.transfer(" sip:desk@example.com ")

        assert "<Hangup/>" in carrier.after_stream("another").body
        for _ in range(2):  # an answer may be lost
            document = carrier.after_stream("c1").body
            assert "<Dial><Sip>sip:desk@example.com</Sip></Dial>" in document
        assert api.only.acts == []
        await line.send_digits("1")
        await line.hang_up()
        assert api.only.acts == ["press 1", "hang up"]

    asyncio.run(call())


@pytest.mark.parametrize("by_rest", [True, False])
def test_a_call_of_call_control_and_one_without_an_api_have_no_line_of_a_document(
    by_rest: bool,
) -> None:
    carrier = Telnyx(None)
    assert carrier.line_of(comes(by_rest=by_rest)) is None
    carrier.api = HandApi()  # type: ignore[assignment]

    assert isinstance(carrier.line_of(comes(by_rest=by_rest)), TexmlLine) is not by_rest


def test_what_is_no_target_is_refused_at_once() -> None:
    line = TexmlLine(HandLine(), "c1", targets := Targets())

    with pytest.raises(UsageError, match="no number"):
        asyncio.run(line.transfer(" "))
    assert targets.get("c1") == ""


def test_targets_that_nobody_asks_for_are_bounded() -> None:
    targets = Targets()
    for n in range(MOST + 1):
        targets.put(f"c{n}", "+1")

    assert targets.get("c0") == ""
    assert targets.get("c1") == "+1"
