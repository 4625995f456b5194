"""Ids, tokens and chance, all from one source.

Without a seed the source is the operating system's, good enough for secrets. With a seed the same
run draws the same ids, which is what virtual time needs and what nothing on a real socket may use.
"""

import base64
import random
import string
import uuid
from typing import Final

TOKEN_BYTES: Final = 24  # 192 bits; a join token needs 128 that nobody can guess
_ALPHANUMERIC: Final = string.ascii_letters + string.digits
_INVOCATION_CHARACTERS: Final = 24


class Ids:
    """Draws ids. Two objects with the same seed draw the same ids in the same order."""

    def __init__(self, seed: str | int | None = None) -> None:
        self.random: random.Random = (
            # A seed is asked for where runs must repeat; secrets come from the branch without.
            random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311
        )

    def uuid(self) -> str:
        """A version 4 UUID in lower case."""
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def token(self) -> str:
        """32 characters that are safe in a URL and carry 192 random bits."""
        return base64.urlsafe_b64encode(self.random.randbytes(TOKEN_BYTES)).decode("ascii")

    def invocation_id(self) -> str:
        """`call_` and 24 letters or digits: the form of a tool invocation's id."""
        return "call_" + "".join(self.random.choices(_ALPHANUMERIC, k=_INVOCATION_CHARACTERS))
