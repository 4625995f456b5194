"""What all tables of the configuration are made of: strict about keys, and the values that stand in many."""

from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_URL_SCHEMES: Final = frozenset({"http", "https", "ws", "wss"})


class Table(BaseModel):
    """A table of the file: every key is known, and nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _is_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in _URL_SCHEMES or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be an address such as https://bridge.example.com")
    return text.rstrip("/")


Url: TypeAlias = Annotated[str, AfterValidator(_is_url)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=86_400)]
Count: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
Port: TypeAlias = Annotated[int, Field(strict=True, ge=0, le=65_535)]
