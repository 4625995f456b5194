"""Tipring: a real-time media bridge for live voice-AI calls.

For programs: `bridge.join` is a call as an async context, `bridge.tool` marks a function as a client tool. Both are
loaded when they are first used; the import of this package loads nothing.
"""

TYPE_CHECKING = False  # that of `typing` takes 20 ms to load, in which Ctrl-C would meet nobody
if TYPE_CHECKING:
    from bridge.talk.join import join
    from bridge.talk.tools import tool

__all__ = ["join", "tool"]


def __getattr__(name: str) -> object:
    if name == "join":
        from bridge.talk.join import join  # noqa: PLC0415 - the package itself loads nothing

        return join
    if name == "tool":
        from bridge.talk.tools import tool  # noqa: PLC0415

        return tool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
