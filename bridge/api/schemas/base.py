"""What all REST bodies share: camelCase names, leniency about what is unknown, types that hold.

Bodies follow the JSON form of protocol buffers: `null` means unset, snake_case names are taken too,
unknown names are passed over, a whole number may be written 16000.0, and a duration is text such as
"0.384s". A wrong type is refused, never converted.
"""

import re
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from bridge.wire.messages import WireModel

JsonObject: TypeAlias = dict[str, Any]

DURATION_PATTERN: Final = r"^-?(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,9})?s$"
_DURATION: Final = re.compile(DURATION_PATTERN.removesuffix("$") + r"\Z", re.ASCII)
# No timer of a call runs longer; a typo such as 3600000s is found here and not in a month.
MAX_DURATION_S: Final = 86_400.0


class ApiModel(WireModel):
    """A REST body or a part of one, with the leniency of data messages."""

    model_config = ConfigDict(protected_namespaces=())


class Shown(BaseModel):
    """A body that the server gives: only what was set is written, and `null` is written as such."""

    model_config = ConfigDict(
        alias_generator=to_camel, frozen=True, populate_by_name=True, protected_namespaces=()
    )


def seconds(duration: str) -> float:
    """The seconds in duration text, such as "0.384s"."""
    return float(duration.removesuffix("s"))


def duration_text(duration_s: float) -> str:
    """Duration text for seconds, to the microsecond, without trailing zeros."""
    text = f"{duration_s:.6f}".rstrip("0").rstrip(".")
    return f"{'0' if text in {'-0', ''} else text}s"


def _is_duration(text: str) -> str:
    if not _DURATION.match(text):
        raise PydanticCustomError(
            "duration", "Not a duration: write seconds and an s, such as 30s or 0.384s"
        )
    return text


def _is_not_negative(text: str) -> str:
    if not 0 <= seconds(text) <= MAX_DURATION_S:
        raise PydanticCustomError("duration_range", "A duration from 0s to 86400s is needed here")
    return text


def _is_positive(text: str) -> str:
    if seconds(text) <= 0:
        raise PydanticCustomError("duration_zero", "A duration longer than 0s is needed here")
    return text


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


_AnyDuration = Annotated[
    str, AfterValidator(_is_duration), Field(json_schema_extra={"pattern": DURATION_PATTERN})
]
Offset: TypeAlias = _AnyDuration
Duration: TypeAlias = Annotated[_AnyDuration, AfterValidator(_is_not_negative)]
PositiveDuration: TypeAlias = Annotated[Duration, AfterValidator(_is_positive)]
Int32: TypeAlias = Annotated[int, BeforeValidator(_whole), Field(ge=-(2**31), lt=2**31)]
