"""Loads WebRTC's audio processing module from the `livekit` wheel so that it cannot abort the process at its end.

The wheel's library hands its logs to Python from a thread of its own, once a second, what it logs of its own end
included. Where the interpreter is just then taken down, that thread is ended inside the library, which takes it for a
fault and aborts: exit code 134 and a stack trace, after a talk that went well. So the library is told to keep its logs
to itself. It has no public switch for that; where the private names are others, it is as it was.
"""

from importlib import import_module
from typing import Any

_CLIENT = "livekit.rtc._ffi_client"


def load() -> tuple[Any, Any]:
    """The wheel's classes of a frame and of the module; heavy: 0.1 s and the threads of its library.

    Raises: ImportError if the wheel is not installed, or its library does not load.
    """
    _keep_logs(import_module(_CLIENT))
    module = import_module("livekit.rtc.apm")
    return import_module("livekit.rtc").AudioFrame, module.AudioProcessingModule


def _keep_logs(client: Any) -> None:
    """Before the library is initialized, which its first use does."""
    load_library = getattr(client, "get_ffi_lib", None)
    if load_library is None or isinstance(load_library, _Quietly):
        return
    client.get_ffi_lib = _Quietly(load_library)


class _Quietly:
    """Loads the library with its logs kept."""

    def __init__(self, load_library: Any) -> None:
        self._load_library = load_library

    def __call__(self) -> "_Library":
        return _Library(self._load_library())


class _Library:
    """The library as it is, but for its initialization."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.livekit_ffi_initialize = _Initialize(library)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


class _Initialize:
    """The function, with the second of its arguments changed: whether logs are handed on."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.argtypes: list[Any] = []

    def __call__(self, callback: Any, _hands_logs_on: bool, *others: Any) -> None:
        initialize = self._library.livekit_ffi_initialize
        initialize.argtypes = self.argtypes
        initialize(callback, False, *others)
