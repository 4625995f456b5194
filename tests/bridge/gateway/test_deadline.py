"""One deadline that moves."""

import asyncio

from bridge.gateway.deadline import Deadline
from bridge.virtual import run_virtual


def test_only_the_last_action_set_is_called_and_a_cleared_one_is_not() -> None:
    async def main() -> tuple[list[str], list[bool]]:
        called: list[str] = []
        deadline, cleared = Deadline(), Deadline()
        states = [deadline.is_set]
        deadline.set(1, lambda: called.append("first"))
        deadline.set(2, lambda: called.append(f"second {deadline.is_set}"))
        cleared.set(1, lambda: called.append("cleared"))
        states.append(deadline.is_set)
        cleared.clear()
        await asyncio.sleep(3)
        return called, [*states, deadline.is_set, cleared.is_set]

    assert run_virtual(main()) == (["second False"], [False, True, False, False])
