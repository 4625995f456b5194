"""One point of the table: a gateway under so many calls."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.calls_per_core_parts import machine
from benchmarks.calls_per_core_parts.bench_program import BenchProgram

SETTLE_S: Final = 2.0
AFTER_S: Final = 1.0
"""Bursts said at the end of the window still have to come back."""
CLEAR_EVERY_S: Final = 0.02
CALL_CLEARED_EVERY_S: Final = 0.4


@dataclass(frozen=True)
class Cores:
    """Where the programs run: the gateway alone on one core, if there is more than one."""

    gateway: Sequence[int]
    others: Sequence[int]


@dataclass(frozen=True)
class Gateway:
    """A program that bridges.

    Attributes:
        start: starts it, given the ports of the AI side and the cores to run on.
        target: how the callers reach it: an argument of `callers`.
    """

    name: str
    start: Callable[[Mapping[str, int], Sequence[int]], BenchProgram]
    target: Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True)
class Plan:
    """How long is measured."""

    seconds: float
    n_clears: int


def measure(gateway: Gateway, n_calls: int, plan: Plan, cores: Cores) -> dict[str, Any]:
    """Run one point in fresh processes; returns its figures, times in ms unless named otherwise."""
    with (
        BenchProgram("ai_peer", cores=cores.others) as ai,
        gateway.start(ai.facts, cores.gateway) as bridge,
        BenchProgram(
            "callers", json.dumps(gateway.target(bridge.facts)), cores=cores.others
        ) as callers,
    ):
        callers.ask(do="up", n=1)
        time.sleep(1)
        callers.ask(do="down")
        time.sleep(1)
        empty_bytes = machine.rss_bytes(bridge.pid)
        empty_tasks = bridge.ask()["tasks"]
        setups = callers.ask(do="up", n=n_calls)
        time.sleep(SETTLE_S)
        window = _window((bridge, ai, callers), plan.seconds)
        full_bytes = machine.rss_bytes(bridge.pid)
        full_tasks = bridge.ask()["tasks"]
        time.sleep(AFTER_S)
        every_s = max(CLEAR_EVERY_S, CALL_CLEARED_EVERY_S / n_calls)
        clears = ai.ask(n=plan.n_clears, every_s=every_s)["clears"]
        down = callers.ask(do="down")
        heard = callers.ask(
            do="report", from_s=window["from_s"], to_s=window["to_s"], clears=clears
        )
    cpu_percent = 100 * window["cpu_s"] / (window["to_s"] - window["from_s"]) / n_calls
    return {
        "gateway": gateway.name,
        "calls": n_calls,
        "cpu_percent_per_call": round(cpu_percent, 3),
        "calls_per_core": round(100 / cpu_percent, 1),
        "rss_mb": round(full_bytes / 1e6, 1),
        "kb_per_call": round((full_bytes - empty_bytes) / 1e3 / n_calls),
        "tasks_per_call": round((full_tasks - empty_tasks) / n_calls, 2),
        "setup_ms": round(sorted(setups["setups_ms"])[n_calls // 2], 1),
        "calls_lost": setups["lost"] + down["lost"],
        "rig_load_percent": window["rig_load_percent"],
        "other_load_percent": window["other_load_percent"],
        **heard,
    }


def _window(programs: Sequence[BenchProgram], seconds: float) -> dict[str, float]:
    """Measure for so long: the first program's CPU time, and beside it what the rig and the machine's others take."""
    before = [time.perf_counter(), machine.busy_s(), *(machine.cpu_s(p.pid) for p in programs)]
    time.sleep(seconds)
    after = [time.perf_counter(), machine.busy_s(), *(machine.cpu_s(p.pid) for p in programs)]
    span_s, busy_s, *own_s = (b - a for a, b in zip(before, after, strict=True))
    return {
        "from_s": before[0],
        "to_s": after[0],
        "cpu_s": own_s[0],
        "rig_load_percent": round(100 * sum(own_s[1:]) / span_s),
        "other_load_percent": max(0, round(100 * (busy_s - sum(own_s)) / span_s)),
    }
