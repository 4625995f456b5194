"""A helper process of ours, seen from the bridge: one request at a time over its two pipes.

The calls here wait for the process, so they belong into an executor; `helper_pool` has one. The
frames are described in `helper_program`.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from bridge.errors import BrainError

Reply: TypeAlias = tuple[dict[str, object], bytes]
"""The fields of a frame, and the bytes behind them."""

_ROOT: Final = Path(__file__).parents[3]
_MOST_HEADER_BYTES: Final = 1 << 20
_MOST_AUDIO_BYTES: Final = 1 << 25
_GOODBYE_S: Final = 1.0


class HelperDied(BrainError):  # noqa: N818 - reads as what happened
    """The process ended, hung or talked nonsense; a new one may do better."""


def program(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs `main` of one of our modules in a Python process of its own."""
    # -P and the end of the path: no file of a working folder takes the place of a library.
    start = f"import sys; sys.path.append({str(_ROOT)!r}); from {module} import main; main()"
    return (sys.executable, "-P", "-c", start, *arguments)


class Helper:
    """One helper process. Not for several threads at once, but for `kill`."""

    def __init__(self, name: str, command: Sequence[str], deadline_s: float) -> None:
        """Start the process; `greet` comes before the first request.

        Raises: HelperDied if it cannot be started.
        """
        self._name = name
        self._deadline_s = deadline_s
        self._in_step = True
        self._greeting: dict[str, object] = {}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # Ctrl-C in a terminal stays with the bridge
            )
        except OSError as error:
            raise HelperDied(
                f"{name}: the helper process does not start ({error.strerror})"
            ) from error

    @property
    def greeted(self) -> bool:
        """Whether it is ready for requests."""
        return bool(self._greeting)

    @property
    def reusable(self) -> bool:
        """Whether it may be asked again: it said in its greeting that it lasts, and is not amid a reply."""
        return self._in_step and self._greeting.get("lasting") is True

    def greet(self) -> None:
        """Wait for the greeting.

        Raises: HelperDied if there is none within the deadline; BrainError with the sentence
        that the helper sent instead.
        """
        self._greeting = self._within_deadline(self._receive)[0]

    def request(self, fields: Mapping[str, object], data: bytes = b"") -> Reply:
        """Send a request and wait for its reply.

        Raises: HelperDied, after which only `stop` makes sense; BrainError with the sentence of
        a helper that lives but cannot.
        """
        return self._within_deadline(lambda: self._exchange(fields, data))

    def kill(self) -> None:
        """End the process and its forks at once; a request that waits fails. Any thread may."""
        if os.name != "posix":
            self._process.kill()
        elif self._process.returncode is None:  # reaped: the number may be somebody else's
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                self._process.kill()

    def stop(self) -> None:
        """Let the process end, force it if it does not, and leave nothing behind."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # dead already; the pipe is closed all the same
            self._process.stdin.close()
        try:
            self._process.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            self._process.wait()
        self._process.stdout.close()

    def _exchange(self, fields: Mapping[str, object], data: bytes) -> Reply:
        self._in_step = False
        body = json.dumps({**fields, "n_bytes": len(data)}).encode()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(struct.pack("<I", len(body)) + body + data)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise HelperDied(f"{self._name}: the helper process has ended") from error
        return self._receive()

    def _receive(self) -> Reply:
        n_header = struct.unpack("<I", self._read(4))[0]
        if n_header > _MOST_HEADER_BYTES:
            raise HelperDied(f"{self._name}: the helper process sends nonsense")
        try:
            header = json.loads(self._read(n_header))
            n_bytes = int(header.get("n_bytes", 0))
        except (ValueError, TypeError, AttributeError) as error:
            raise HelperDied(f"{self._name}: the helper process sends nonsense") from error
        if not 0 <= n_bytes <= _MOST_AUDIO_BYTES:
            raise HelperDied(f"{self._name}: the helper process sends nonsense")
        data = self._read(n_bytes)
        self._in_step = True
        if "error" in header:
            raise BrainError(f"{self._name}: {header['error']}")
        return header, data

    def _read(self, n_bytes: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(n_bytes)
        if len(data) < n_bytes:
            raise HelperDied(f"{self._name}: the helper process has ended")
        return data

    def _within_deadline(self, work: Callable[[], Reply]) -> Reply:
        with self._watchdog() as barked:
            try:
                return work()
            except HelperDied as error:
                if barked.is_set():
                    raise HelperDied(
                        f"{self._name}: the helper process did not answer "
                        f"within {self._deadline_s:g} s"
                    ) from error
                raise

    @contextlib.contextmanager
    def _watchdog(self) -> Generator[threading.Event]:
        """Kill the process at the deadline: the one way out of a read that works everywhere.

        The seconds are those of the real clock also in virtual time: they guard against a hung
        process, and a call does not see them.
        """
        barked = threading.Event()

        def bark() -> None:
            barked.set()
            self.kill()

        timer = threading.Timer(self._deadline_s, bark)
        timer.name = f"{self._name} deadline"
        timer.daemon = True
        timer.start()
        try:
            yield barked
        finally:
            timer.cancel()
            timer.join()
