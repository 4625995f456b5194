"""A program of the rig, from the outside: started, steered by JSON lines, pinned to a core, stopped."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

ROOT: Final = Path(__file__).parents[2]
_ANSWER_S: Final = 180.0


class ProgramError(Exception):
    """A program of the rig has ended, or says nothing."""


class BenchProgram:
    """One running program; `facts` is the line with which it said that it was ready.

    Args:
        module: within this package.
        python: the interpreter; ours when left out.
        cores: where it may run.
    """

    def __init__(
        self, module: str, *args: str, cores: Sequence[int], python: str = sys.executable
    ) -> None:
        self._name = module
        self._process = subprocess.Popen(
            [python, "-m", f"benchmarks.calls_per_core_parts.{module}", *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        os.sched_setaffinity(self._process.pid, cores)
        self.facts = self._line()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, **order: object) -> Mapping[str, Any]:
        """Give an order and wait for its answer.

        Raises: ProgramError.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> Mapping[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        ready, _, _ = select.select([stdout], [], [], _ANSWER_S)
        line = stdout.readline() if ready else b""
        if not line:
            raise ProgramError(f"{self._name} has ended, or did not answer in {_ANSWER_S:g} s")
        answer: Mapping[str, Any] = json.loads(line)
        if "failed" in answer:
            raise ProgramError(f"{self._name}: {answer['failed']}")
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
