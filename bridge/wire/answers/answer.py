"""A document for a carrier, and the few values that stand in all of them."""

import re
from dataclasses import dataclass
from typing import Final

from bridge.errors import UsageError

MAX_TARGET: Final = 255
"""Characters of a number or SIP address (Twilio's limit for SIP, the smallest of all)."""
MAX_DIGITS: Final = 64
_DIGITS: Final = re.compile(r"[0-9A-D*#wW]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """What our answer URL says."""

    body: str
    content_type: str


def is_sip(target: str) -> bool:
    """Whether a call goes to a SIP address rather than to a telephone number."""
    return target.lower().startswith(("sip:", "sips:"))


def checked_target(target: str) -> str:
    """A number or SIP address, without blanks around it. Raises: UsageError."""
    target = target.strip()
    if not target:
        raise UsageError("there is no number to transfer to")
    if len(target) > MAX_TARGET:
        raise UsageError(f"a number to transfer to has at most {MAX_TARGET} characters")
    return target


def checked_digits(digits: str) -> str:
    """Keys to press: 0-9 A-D * #, and w or W for a pause. Raises: UsageError."""
    if not _DIGITS.fullmatch(digits):
        raise UsageError("keys to press are 0-9 A-D * # and w, at least one")
    if len(digits) > MAX_DIGITS:
        raise UsageError(f"at most {MAX_DIGITS} keys are pressed at once")
    return digits
