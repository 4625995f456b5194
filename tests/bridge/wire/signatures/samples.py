"""Requests as carriers send them, and random ones, for the tests of all signatures."""

import random
import string
from typing import Final
from urllib.parse import urlencode

from bridge.wire.signatures.request import SignedRequest

PUBLIC_URL: Final = "https://voice.example.com"
FORM: Final = "application/x-www-form-urlencoded"
_ODD: Final = "äß€漢\u202e &=+%/?#\"'<>\r\n\t~*"
_LETTERS: Final = string.ascii_letters + string.digits + "-_."

Fields = list[tuple[str, str]]


def form_request(target: str, fields: Fields, headers: dict[str, str]) -> SignedRequest:
    """A form that is posted."""
    body = urlencode(fields).encode()
    return SignedRequest("POST", target, {"content-type": FORM, **headers}, body)


def get_request(target: str, headers: dict[str, str]) -> SignedRequest:
    """A plain GET: a webhook with its fields in the query, or an upgrade."""
    return SignedRequest("GET", target, headers)


class Chance:
    """Random parts of requests, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def one_of(self, *choices: str) -> str:
        """Any of them."""
        return self._random.choice(choices)

    def word(self, alphabet: str = _LETTERS, longest: int = 24) -> str:
        """A few characters, at least one."""
        n = self._random.randint(1, longest)
        return "".join(self._random.choices(alphabet, k=n))

    def text(self) -> str:
        """A value as people and carriers put it into a field."""
        return self.word(_LETTERS + _ODD, 40)

    def fields(self, most: int = 20) -> Fields:
        """Form fields, each name once."""
        n = self._random.randint(0, most)
        return list({self.word(): self.text() for _ in range(n)}.items())

    def target(self) -> str:
        """A path, with or without a query, percent-encoded as it must be."""
        path = "/" + "/".join(self.word() for _ in range(self._random.randint(1, 4)))
        fields = self.fields(4)
        return f"{path}?{urlencode(fields)}" if fields else path

    def ascii_target(self) -> str:
        """A path and a query whose values are ASCII when decoded."""
        query = urlencode({self.word(): self.word(_LETTERS + " &=+%/?#") for _ in range(3)})
        return f"/{self.word()}/{self.word()}?{query}"

    def host(self) -> str:
        """A host, sometimes with a port."""
        name = f"{self.word(string.ascii_lowercase, 12)}.example"
        return (
            f"{name}:{self._random.choice((443, 80, 8443))}"
            if self._random.random() < 0.3
            else name
        )
