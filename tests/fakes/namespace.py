"""A network namespace of its own, whose loopback can be taken away: for root on Linux."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Namespace:
    """One namespace; what runs in it reaches nothing outside."""

    name: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What runs a command inside."""
        return ("ip", "netns", "exec", self.name)

    def loopback(self, *, up: bool) -> None:
        """Give or take away the only network there is."""
        _ip("-n", self.name, "link", "set", "lo", "up" if up else "down")


@contextmanager
def namespace() -> Iterator[Namespace]:
    """A namespace for the time of the context; the test is skipped where none can be had."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and iproute2")
    made = Namespace(f"tipring-{os.getpid()}")
    try:
        _ip("netns", "add", made.name)
    except subprocess.CalledProcessError:
        pytest.skip("network namespaces cannot be made here")
    try:
        made.loopback(up=True)
        yield made
    finally:
        _ip("netns", "del", made.name)


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), check=True, capture_output=True)
