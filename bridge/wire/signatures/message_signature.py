"""HTTP message signatures with HMAC-SHA256: one signature over plain component names.

Source: draft-ietf-httpbis-message-signatures-11, sections 2.3 and 4. It allows more (several signatures, parameters of
components, escapes in strings): no carrier sends more, and nothing more is taken.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

INPUT_HEADER: Final = "signature-input"
SIGNATURE_HEADER: Final = "signature"
MAX_INPUT: Final = 2_000
"""Characters of ``signature-input``."""
_STRING: Final = r'"[ !#-\[\]-~]*"'
_LABEL: Final = r"[a-z*][a-z0-9_\-.*]*"
_PARAMETER: Final = rf";[a-z]+=(?:{_STRING}|[0-9]{{1,15}})"
_INPUT: Final = re.compile(rf"({_LABEL})=(\(({_STRING}(?: {_STRING})*)\)((?:{_PARAMETER})+))")
_SIGNATURE: Final = re.compile(rf"({_LABEL})=:([A-Za-z0-9+/]{{43}}=):")


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature as the two headers say it, not checked."""

    names: tuple[str, ...]
    """Of the components that it covers, in order."""
    parameters: Mapping[str, str]
    base: str
    """Names and parameters as they were written."""
    digest: bytes

    def seconds(self, name: str) -> int | None:
        """A parameter that is a number."""
        text = self.parameters.get(name, "")
        return int(text) if text.isdecimal() else None

    def text(self, name: str) -> str:
        """A parameter that is a text; empty if there is none."""
        return self.parameters.get(name, "").strip('"')

    def fits(self, secret: bytes, values: Mapping[str, str]) -> bool:
        """Whether these values of the components were signed; False where one is missing."""
        if not values.keys() >= set(self.names):
            return False
        return hmac.compare_digest(_digest(secret, self.names, values, self.base), self.digest)


def read(headers: Mapping[str, str]) -> MessageSignature | None:
    """The signature of a request; None if there is none that can be read."""
    said = headers.get(INPUT_HEADER, "").strip()
    found = _INPUT.fullmatch(said) if len(said) <= MAX_INPUT else None
    signature = _SIGNATURE.fullmatch(headers.get(SIGNATURE_HEADER, "").strip())
    if found is None or signature is None or found[1] != signature[1]:
        return None
    pairs = re.findall(rf";([a-z]+)=({_STRING}|[0-9]+)", found[4])
    names = tuple(re.findall(r'"([^"]*)"', found[3]))
    if len(dict(pairs)) != len(pairs) or len(set(names)) != len(names):
        return None
    return MessageSignature(names, dict(pairs), found[2], b64decode(signature[2]))


def write(
    secret: bytes,
    names: Sequence[str],
    values: Mapping[str, str],
    parameters: Mapping[str, str | int],
) -> dict[str, str]:
    """The two headers of a signature over these components, in order."""
    listed = " ".join(f'"{name}"' for name in names)
    told = "".join(
        f";{name}={value}" if isinstance(value, int) else f';{name}="{value}"'
        for name, value in parameters.items()
    )
    base = f"({listed}){told}"
    text = b64encode(_digest(secret, names, values, base)).decode()
    return {INPUT_HEADER: f"sig1={base}", SIGNATURE_HEADER: f"sig1=:{text}:"}


def _digest(secret: bytes, names: Sequence[str], values: Mapping[str, str], base: str) -> bytes:
    lines = [f'"{name}": {values[name].strip()}' for name in names]
    text = "\n".join([*lines, f'"@signature-params": {base}'])
    return hmac.digest(secret, text.encode(errors="replace"), "sha256")
