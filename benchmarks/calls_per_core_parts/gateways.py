"""The gateways that the rig knows, and how each is started and reached."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.calls_per_core_parts import gateway_tipring, pipecat_venv
from benchmarks.calls_per_core_parts.bench_program import BenchProgram
from benchmarks.calls_per_core_parts.point import Gateway


def _bare(*options: str) -> Callable[[Mapping[str, int], Sequence[int]], BenchProgram]:
    def start(ai: Mapping[str, int], cores: Sequence[int]) -> BenchProgram:
        return BenchProgram("gateway_bare", str(ai["socket_port"]), *options, cores=cores)

    return start


def _tipring(ai: Mapping[str, int], cores: Sequence[int]) -> BenchProgram:
    return BenchProgram("gateway_tipring", str(ai["api_port"]), cores=cores)


def _answered(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """By its answer URL, as Twilio would."""
    return {
        "public_url": gateway_tipring.PUBLIC_URL,
        "port": facts["port"],
        "number": gateway_tipring.NUMBER,
        "auth_token": gateway_tipring.AUTH_TOKEN,
    }


def _pipecat(*options: str) -> Callable[[Mapping[str, int], Sequence[int]], BenchProgram]:
    def start(ai: Mapping[str, int], cores: Sequence[int]) -> BenchProgram:
        python = str(pipecat_venv.python())
        port = str(ai["api_port"])
        return BenchProgram("gateway_pipecat", port, *options, cores=cores, python=python)

    return start


def _direct(path: str) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    return lambda facts: {"socket_url": f"ws://127.0.0.1:{facts['port']}{path}"}


BARE = Gateway("bare echo (control)", _bare(), _direct("/"))
CODECS = Gateway("bare, with codecs", _bare("--codecs"), _direct("/"))
TIPRING = Gateway("Tipring", _tipring, _answered)
PIPECAT = Gateway("Pipecat", _pipecat(), _direct("/ws"))
PIPECAT_TUNED = Gateway("Pipecat, tuned", _pipecat("--tuned"), _direct("/ws"))
