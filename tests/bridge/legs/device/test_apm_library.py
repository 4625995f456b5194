"""The wheel's library, loaded so that its logs come to nobody at the end of a process."""

import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.legs.device import apm_library
from bridge.legs.device.apm import is_installed

needs_wheel = pytest.mark.skipif(not is_installed(), reason="livekit is not installed")

SLOW_END = """
import sys, time
from bridge.legs.device.apm import Apm

Apm().close()

class Slow:
    def __del__(self, clock=time.monotonic, sleep=time.sleep):
        begin = clock()
        while clock() - begin < 2.5:
            sleep(0.01)

sys.slow = Slow()
"""


class _Native:
    """A library that notes how it was initialized."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.other = object()

        def initialize(*arguments: Any) -> None:
            self.calls.append((initialize.argtypes, *arguments))  # type: ignore[attr-defined]

        self.livekit_ffi_initialize = initialize


def test_it_is_initialized_without_handing_logs_on_and_is_else_as_it_was() -> None:
    native = _Native()
    client = SimpleNamespace(get_ffi_lib=lambda: native)
    apm_library._keep_logs(client)
    library: Any = client.get_ffi_lib()
    library.livekit_ffi_initialize.argtypes = ["types"]
    library.livekit_ffi_initialize("callback", True, b"python", b"1.2")

    assert native.calls == [(["types"], "callback", False, b"python", b"1.2")]
    assert library.other is native.other


def test_it_is_wrapped_once_and_left_alone_where_the_names_are_others() -> None:
    client = SimpleNamespace(get_ffi_lib=_Native)
    apm_library._keep_logs(client)
    once = client.get_ffi_lib
    apm_library._keep_logs(client)
    assert client.get_ffi_lib is once

    other = SimpleNamespace(something=1)
    apm_library._keep_logs(other)
    assert vars(other) == {"something": 1}


@needs_wheel
def test_the_wheel_has_the_private_names_that_are_touched() -> None:
    apm_library.load()
    client = import_module("livekit.rtc._ffi_client")
    assert callable(client.get_ffi_lib)
    assert "get_ffi_lib" in client.FfiClient.__init__.__code__.co_names


@needs_wheel
@pytest.mark.slow
@pytest.mark.parametrize("_again", range(4))
def test_a_process_that_takes_long_to_end_is_not_aborted(_again: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW_END], capture_output=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
