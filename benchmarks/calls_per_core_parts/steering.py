"""How a program of the rig is steered: one JSON object a line, orders in, answers out. Standard library only.

The steering end is `bench_program.BenchProgram`. The lines are read in a thread of their own, so that programs whose
event loop belongs to somebody else (a server's) are steered in the same way. A closed stdin ends the program.
"""

import asyncio
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Order = Mapping[str, Any]
Obey = Callable[[Order], Awaitable[Mapping[str, Any]]]


def say(**facts: object) -> None:
    """Answer with one line."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def obey(orders: Obey) -> None:
    """Have each order carried out on the running loop, one after another, from now on."""
    loop = asyncio.get_running_loop()
    threading.Thread(target=_read, args=(loop, orders), name="orders", daemon=True).start()


async def count_tasks(_order: Order) -> Mapping[str, Any]:
    """The one thing asked of a gateway: its tasks, the one that counts left out."""
    return {"tasks": len(asyncio.all_tasks()) - 1}


def _read(loop: asyncio.AbstractEventLoop, orders: Obey) -> None:
    async def carry_out(order: Order) -> Mapping[str, Any]:
        return await orders(order)

    for line in sys.stdin:
        done = asyncio.run_coroutine_threadsafe(carry_out(json.loads(line)), loop)
        try:
            say(**done.result())
        except Exception as error:  # noqa: BLE001 - the steering end shall know it
            say(failed=repr(error))
    os._exit(0)
