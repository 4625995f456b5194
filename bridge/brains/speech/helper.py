"""A helper process of ours, seen from the bridge: one request at a time over its two pipes.

The calls here wait for the process, so they belong into an executor. The frames are described
in `espeak_helper`.
"""

import contextlib
import json
import os
import signal
import struct
import subprocess
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Final

from bridge.errors import BrainError

_MOST_HEADER_BYTES: Final = 1 << 20
_MOST_AUDIO_BYTES: Final = 1 << 25
_GOODBYE_S: Final = 1.0


class HelperDied(BrainError):  # noqa: N818 - reads as what happened
    """The process ended, hung or talked nonsense; a new one may do better."""


class Helper:
    """One running helper process. Not for several threads at once, but for `kill`."""

    def __init__(self, name: str, command: Sequence[str], deadline_s: float) -> None:
        """Start the process and read its greeting.

        Raises: HelperDied if there is none within `deadline_s`; BrainError with the sentence
        that the helper sent instead.
        """
        self._name = name
        self._deadline_s = deadline_s
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C in a terminal stays with the bridge
        )
        try:
            self.greeting: Final = self._within_deadline(self._receive)[0]
        except BrainError:
            self.stop()
            raise

    def request(self, fields: Mapping[str, object]) -> tuple[dict[str, object], bytes]:
        """Send a request and wait for its reply: the fields, and the bytes behind them.

        Raises: HelperDied, after which only `stop` makes sense; BrainError with the sentence of
        a helper that lives but cannot.
        """
        return self._within_deadline(lambda: self._exchange(fields))

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

    def _exchange(self, fields: Mapping[str, object]) -> tuple[dict[str, object], bytes]:
        body = json.dumps(fields).encode()
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(struct.pack("<I", len(body)) + body)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise HelperDied(f"{self._name}: the helper process has ended") from error
        return self._receive()

    def _receive(self) -> tuple[dict[str, object], bytes]:
        n_header = struct.unpack("<I", self._read(4))[0]
        if n_header > _MOST_HEADER_BYTES:
            raise HelperDied(f"{self._name}: the helper process sends nonsense")
        try:
            header = json.loads(self._read(n_header))
            n_bytes = int(header.get("n_bytes", 0))
        except (ValueError, TypeError, AttributeError) as error:
            raise HelperDied(f"{self._name}: the helper process sends nonsense") from error
        if "error" in header:
            raise BrainError(f"{self._name}: {header['error']}")
        if not 0 <= n_bytes <= _MOST_AUDIO_BYTES:
            raise HelperDied(f"{self._name}: the helper process sends nonsense")
        return header, self._read(n_bytes)

    def _read(self, n_bytes: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(n_bytes)
        if len(data) < n_bytes:
            raise HelperDied(f"{self._name}: the helper process has ended")
        return data

    def _within_deadline(
        self, work: Callable[[], tuple[dict[str, object], bytes]]
    ) -> tuple[dict[str, object], bytes]:
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
