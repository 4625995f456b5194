"""How many telephone calls one core carries, and what the bridge adds to the caller's voice.

    python -m benchmarks.calls_per_core [--peer pipecat] [--calls 1 10 50 100] [--seconds 10] [--json]
    python -m benchmarks.calls_per_core --setup-pipecat

Emulated Twilio callers, a gateway and an AI side that echoes at 48 kHz, in three processes on real loopback sockets;
the gateway has a core to itself where there are two. Callers speak in an open loop, µ-law in frames of 20 ms. The
gateway under test is `tipring serve` as a user starts it, beside it a control: the least that can stand between the
same two programs. With ``--peer pipecat`` the same programs measure Pipecat in the same run: as its documentation has
it, and with everything off that can be.

*CPU*: user and kernel time of the gateway's process for one call, in per cent of a core; *calls per core* its inverse.
*Voice*: from a burst of tones leaving the caller to the same burst arriving, in ms; *late*: how much later than the
soonest of its call each frame arrives; *clear*: from the AI side's ``playback_clear_buffer`` to the carrier's clear,
behind half a second of audio. *Holes*: the caller had nothing to hear for more than a frame.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.calls_per_core_parts import gateways, machine, pipecat_venv
from benchmarks.calls_per_core_parts.point import Cores, Gateway, Plan, measure
from benchmarks.calls_per_core_parts.table import markdown, ratios

PEER_AT = 10


def points(options: argparse.Namespace) -> Iterator[tuple[Gateway, int]]:
    """What is measured, in order."""
    for n_calls in options.control:
        yield gateways.BARE, n_calls
    if options.codecs:
        for n_calls in options.control:
            yield gateways.CODECS, n_calls
    for n_calls in options.calls:
        yield gateways.TIPRING, n_calls
    if options.peer == "pipecat":
        for n_calls in options.peer_calls:
            yield gateways.PIPECAT, n_calls
        yield gateways.PIPECAT_TUNED, PEER_AT


def choose_cores(*, pin: bool) -> Cores:
    available = sorted(os.sched_getaffinity(0))
    if not pin or len(available) < 2:
        return Cores(available, available)
    return Cores(available[-1:], available[:-1])


def run(options: argparse.Namespace) -> list[dict[str, Any]]:
    cores = choose_cores(pin=not options.no_pin)
    plan = Plan(options.seconds, options.clears)
    rows = []
    for gateway, n_calls in points(options):
        print(f"{gateway.name}, {n_calls} calls …", file=sys.stderr, flush=True)
        rows.append(measure(gateway, n_calls, plan, cores))
    return rows


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="*", default=[1, 10, 50, 100])
    parser.add_argument("--control", type=int, nargs="*", default=[50, 100])
    parser.add_argument("--codecs", action="store_true", help="a control that resamples, too")
    parser.add_argument("--peer", choices=["pipecat"])
    parser.add_argument("--peer-calls", type=int, nargs="*", default=[1, PEER_AT])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--clears", type=int, default=200)
    parser.add_argument("--no-pin", action="store_true", help="leave the cores to the system")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--setup-pipecat", action="store_true", help="install Pipecat and leave")
    return parser.parse_args()


def main() -> None:
    options = read_options()
    if options.setup_pipecat:
        pipecat_venv.set_up()
    found = {"pipecat": pipecat_venv.version() if options.peer or options.setup_pipecat else None}
    if options.setup_pipecat:
        print(f"Pipecat {found['pipecat']} in {pipecat_venv.folder()}")
        return
    if options.peer and not found["pipecat"]:
        print(pipecat_venv.why_not(), file=sys.stderr)
        options.peer = None
    before = os.getloadavg()[0]
    rows = run(options)
    about = machine.description() | found | {"load_before": round(before, 2)}
    if options.json:
        print(json.dumps({"machine": about, "rows": rows, "ratios": ratios(rows)}, indent=1))
    else:
        print(markdown(about, rows))


if __name__ == "__main__":
    main()
