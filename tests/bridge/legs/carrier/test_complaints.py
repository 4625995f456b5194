from collections.abc import Coroutine

from bridge.legs.base import Warned
from bridge.legs.carrier.complaints import TOLD_WARNINGS
from bridge.virtual import run_virtual
from tests.bridge.legs.carrier.plain_call import running_call


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def test_the_first_of_each_kind_of_junk_is_told_and_all_are_counted() -> None:
    async def call() -> None:
        call = await running_call()
        call.say(*["junk a thing"] * 5)

        assert call.ends.events == [Warned("ignored: unknown", "a thing")]
        assert call.leg.figures.ignored["unknown"] == 5
        await call.over()

    run(call())


def test_complaints_of_the_carrier_are_told_up_to_a_number() -> None:
    async def call() -> None:
        call = await running_call()
        call.say(*["warn too slow"] * 50)

        assert call.ends.events == [Warned("carrier_warning", "too slow")] * TOLD_WARNINGS
        assert call.leg.figures.warnings == 50
        await call.over()

    run(call())
