import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.call import Parts
from bridge.calls.dialling import PhoneNews, is_about, is_dialled, why_unanswered
from bridge.calls.errors import InvalidSettings, NotDialled
from bridge.calls.phones import NoPhones
from bridge.calls.records import CallRecord
from bridge.calls.service import CallService
from bridge.calls.settings import CallSettings, Dial, PhoneCarrier, PhoneMedium
from bridge.calls.store import MemoryStore
from bridge.clock import VIRTUAL_EPOCH, VirtualClock
from bridge.ids import Ids
from bridge.legs.phone_line import CarrierApi, CarrierApiError
from bridge.virtual import run_virtual
from tests.fakes.call_world import OneBrain

DIALLED = PhoneMedium("twilio", outgoing=Dial("+15550100", "+15550123"))


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@dataclass
class Carrier(NoPhones):
    """A carrier that takes its time, and writes down what is hung up."""

    takes_s: float = 0.0
    fails: bool = False
    hung_up: list[str] = field(default_factory=list)
    up: set[str] = field(default_factory=set)

    def admit(self, record: CallRecord) -> None:
        self.up.add(record.call_id)

    def ended(self, record: CallRecord) -> None:
        self.up.discard(record.call_id)

    async def place(self, record: CallRecord) -> str:
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise CarrierApiError("the carrier would not")
        return "CA1"

    def api(self, carrier: PhoneCarrier) -> CarrierApi | None:
        return self  # type: ignore[return-value]

    def line(self, call_id: str) -> Any:
        outer = self

        class Line:
            async def hang_up(self) -> None:
                outer.hung_up.append(call_id)

        return Line()


def service_with(carrier: Carrier) -> CallService:
    clock = VirtualClock(asyncio.get_running_loop())
    return CallService(Parts(MemoryStore(), Ids("s"), clock, None), OneBrain(), carrier)


def settings(join_timeout_s: float = 30.0) -> CallSettings:
    return CallSettings(medium=DIALLED, join_timeout_s=join_timeout_s)


def record(medium: PhoneMedium = DIALLED, placed: str | None = "CA1") -> CallRecord:
    made = CallRecord("c", CallSettings(medium=medium), VIRTUAL_EPOCH, "t")
    made.phone_call_id = placed
    return made


def news(**said: Any) -> PhoneNews:
    return PhoneNews(**{"carrier": "twilio", "phone_call_id": "CA1", "call_id": "c", **said})


def test_a_phone_that_begins_to_ring_when_the_call_is_over_is_hung_up_again() -> None:
    async def call() -> None:
        carrier = Carrier(takes_s=4.0)
        service = service_with(carrier)
        made = await service.create(settings(join_timeout_s=1.0))

        assert made.end_reason == "unjoined"
        assert carrier.hung_up == ["CA1"]
        assert carrier.up == set()

    play(call())


def test_a_status_that_comes_before_the_answer_of_the_api_ends_the_call() -> None:
    async def call() -> None:
        carrier = Carrier(takes_s=4.0)
        service = service_with(carrier)
        creating = asyncio.create_task(service.create(settings()))
        await asyncio.sleep(1.0)
        [call_id] = carrier.up
        service.phone_moved(news(call_id=call_id, over=True, status="busy"))
        made = await creating

        assert made.end_reason == "unjoined"
        assert carrier.up == set()

    play(call())


def test_a_call_that_is_not_placed_is_counted_no_longer() -> None:
    async def call() -> None:
        carrier = Carrier(fails=True)
        service = service_with(carrier)
        with pytest.raises(NotDialled, match="the carrier would not"):
            await service.create(settings())

        assert carrier.up == set()
        assert carrier.hung_up == []

    play(call())


def test_a_store_that_fails_leaves_no_call_counted() -> None:
    class Full(MemoryStore):
        async def add_stage(self, stage: Any) -> None:
            raise OSError("full")

    async def call() -> None:
        carrier = Carrier()
        service = service_with(carrier)
        service._parts = Parts(
            Full(), Ids("s"), VirtualClock(asyncio.get_running_loop()), recordings=None
        )
        with pytest.raises(OSError, match="full"):
            await service.create(settings())

        assert carrier.up == set()

    play(call())


def test_a_server_without_carriers_places_nothing() -> None:
    with pytest.raises(InvalidSettings):
        NoPhones().admit(record())
    NoPhones().admit(record(PhoneMedium("twilio")))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"status": "busy"}, "The called phone was busy."),
        ({"status": "user_busy"}, "The called phone was busy."),
        ({"status": "no-answer"}, "Nobody answered the phone."),
        ({"status": "timeout"}, "Nobody answered the phone."),
        ({"status": "canceled"}, "The phone call was canceled before anybody answered it."),
        ({"status": "cancel"}, "The phone call was canceled before anybody answered it."),
        (
            {"status": "originator_cancel"},
            "The phone call was canceled before anybody answered it.",
        ),
        ({"status": "Failed"}, "The carrier could not put the phone call through."),
        (
            {"status": "completed"},
            "The phone call was over before its media stream came (completed).",
        ),
        ({"status": ""}, "The phone call was over before its media stream came."),
        ({"status": "+15550100"}, "The phone call was over before its media stream came."),
        ({"stream_failed": True}, "The carrier could not open the phone call's media stream."),
    ],
)
def test_why_nobody_joined_is_one_sentence(said: dict[str, Any], sentence: str) -> None:
    assert why_unanswered(news(over=True, **said)) == sentence


@given(st.text(max_size=60))
def test_a_carriers_word_is_repeated_only_if_it_is_a_word(status: str) -> None:
    sentence = why_unanswered(news(over=True, status=status))

    assert "\n" not in sentence
    assert len(sentence) < 120
    assert "+1" not in sentence


@pytest.mark.parametrize(
    ("medium", "placed", "said", "about"),
    [
        (DIALLED, "CA1", {}, True),
        (DIALLED, None, {}, True),  # the API has not answered yet
        (DIALLED, "CA2", {}, False),
        (DIALLED, "CA1", {"carrier": "plivo"}, False),
        (PhoneMedium("twilio"), "CA1", {}, False),  # nobody has dialled it
        (PhoneMedium("plivo", outgoing=DIALLED.outgoing), "request", {"carrier": "plivo"}, True),
    ],
)
def test_news_are_believed_about_the_phone_call_that_was_placed(
    medium: PhoneMedium, placed: str | None, said: dict[str, Any], about: bool
) -> None:
    assert is_about(record(medium, placed), news(**said)) is about


def test_a_call_is_dialled_through_its_own_carrier() -> None:
    assert is_dialled(record())
    assert is_dialled(record(), "twilio")
    assert not is_dialled(record(), "plivo")
    assert not is_dialled(record(PhoneMedium("twilio")))
