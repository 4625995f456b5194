"""Client tools as Python functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

ToolImplementation: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A client tool and the function that answers it."""

    name: str
    description: str
    implementation: ToolImplementation
    deadline_s: float
