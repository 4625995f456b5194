"""What a docstring says of a function and of its parameters."""

import re
from typing import Final

_SECTION: Final = re.compile(r"^(?P<name>[A-Z][A-Za-z ]{1,20}):\s*$")
_PARAMETER: Final = re.compile(r"^\s+\*{0,2}(?P<name>\w+)(?:\s*\([^)]*\))?:\s*(?P<text>.+)$")
_ARGUMENTS: Final = ("Args", "Arguments", "Parameters")


def described(docstring: str) -> tuple[str, dict[str, str]]:
    """The description before the first section, and the words of each parameter under ``Args:``.

    Args:
        docstring: cleaned, as `inspect.getdoc` gives it.
    """
    head: list[str] = []
    words: dict[str, str] = {}
    section, last = "", ""
    for line in docstring.splitlines():
        found = _SECTION.match(line)
        if found:
            section = found["name"]
        elif not section:
            head.append(line)
        elif section in _ARGUMENTS:
            parameter = _PARAMETER.match(line)
            if parameter and not line.startswith("      "):
                last = parameter["name"]
                words[last] = parameter["text"].strip()
            elif last and line.strip():
                words[last] += f" {line.strip()}"
    return " ".join(" ".join(head).split()), words
