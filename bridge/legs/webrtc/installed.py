"""Whether the parts that WebRTC needs are installed. They are looked for, not loaded."""

from importlib.util import find_spec
from typing import Final

WHAT_TO_DO: Final = "Calls over WebRTC need another part: pip install 'tipring[webrtc]'."
_PARTS: Final = ("aiortc", "livekit.protocol")


def missing_webrtc() -> str | None:
    """One sentence that says what to install; None if everything is there."""
    return None if all(map(_is_there, _PARTS)) else WHAT_TO_DO


def _is_there(part: str) -> bool:
    try:
        return find_spec(part) is not None
    except ModuleNotFoundError:  # the package that it would be in
        return False
