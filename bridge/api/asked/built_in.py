"""The vendor's built-in tools that this server has: those for telephone calls.

Names, parameters and defaults are the vendor's (reference 5.6). A carrier's leg carries them out; on
``serverWebSocket`` the client is asked, as for any client tool.
"""

from typing import Final

from bridge.calls.settings import DynamicParameter, ToolSpec

_TIMEOUT_S: Final = 20.0  # the carrier's API has its say within it
_TEXT: Final = {"type": "string"}
_DURATION: Final = {"type": "string", "description": "Seconds, such as 0.2s."}

BUILT_IN: Final = {
    "playDtmfSounds": ToolSpec(
        name="playDtmfSounds",
        description="Presses telephone keys, such as to get through a menu.",
        dynamic=(
            DynamicParameter(
                "digits", {"type": "string", "description": "0-9, *, #, A-D"}, required=True
            ),
            DynamicParameter("toneDuration", _DURATION),
            DynamicParameter("spaceDuration", _DURATION),
        ),
        timeout_s=_TIMEOUT_S,
    ),
    "coldTransfer": ToolSpec(
        name="coldTransfer",
        description="Sends the caller to somebody else and leaves the call.",
        dynamic=(DynamicParameter("target", _TEXT, required=True),),
        timeout_s=_TIMEOUT_S,
    ),
}
"""By ``toolName``."""
MUST_OVERRIDE: Final = {"coldTransfer": ("target",)}
"""What the model may not choose."""
