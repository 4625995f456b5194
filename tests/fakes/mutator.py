"""Turns good JSON messages into bad ones, knowing their structure: same seed, same texts.

Each text takes one to three steps: drop, double, swap, retype, deepen, lengthen or reorder; now and
then the finished text is damaged too (cut, foreign characters, numbers that JSON does not have).
"""

import copy
import json
import random
from collections.abc import Callable
from typing import Any

Json = Any
Fields = dict[str, Json]

ODD_VALUES: tuple[Json, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    10**299,
    1.5,
    -1e308,
    "",
    "x",
    "\x1b[31mred\x1b[0m\n",
    "\u202eright to left",
    "\u0000",
    [],
    {},
    [[]],
    {"__proto__": {"polluted": True}, "__class__": "x", "model_config": {}},
)
DAMAGE = ("\0", "\ufeff", "\ud800", '"', "}", "]", ",", "NaN", "Infinity", "1e400", "\\ud800", "é")


class Mutator:
    """A seeded source of broken messages."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._steps: tuple[Callable[[Fields], None], ...] = (
            self._drop,
            self._double,
            self._swap,
            self._retype,
            self._deepen,
            self._lengthen,
            self._reorder,
        )

    def mutate(self, message: Fields) -> str:
        """A damaged copy of a message, as text."""
        fields = copy.deepcopy(message)
        for _ in range(self._random.randint(1, 3)):
            self._random.choice(self._steps)(self._somewhere(fields))
        text = json.dumps(fields, ensure_ascii=self._random.random() < 0.5)
        text = text.replace('"\u2063', '"').replace('"\\u2063', '"')  # see _double
        return self._damage(text) if self._random.random() < 0.25 else text

    def _somewhere(self, fields: Fields) -> Fields:
        """The message itself or one of the objects inside it."""
        inner = [value for value in fields.values() if isinstance(value, dict) and value]
        return self._random.choice([fields, *inner])

    def _key(self, fields: Fields) -> str | None:
        return self._random.choice(list(fields)) if fields else None

    def _drop(self, fields: Fields) -> None:
        if key := self._key(fields):
            del fields[key]

    def _double(self, fields: Fields) -> None:
        # A dict cannot hold a key twice: the twin has a mark that is taken out of the text.
        if key := self._key(fields):
            twin = self._random.choice((fields[key], *ODD_VALUES))
            fields["\u2063" + key.lstrip("\u2063")] = copy.deepcopy(twin)

    def _swap(self, fields: Fields) -> None:
        one, other = self._key(fields), self._key(fields)
        if one and other:
            fields[one], fields[other] = fields[other], fields[one]

    def _retype(self, fields: Fields) -> None:
        if key := self._key(fields):
            fields[key] = copy.deepcopy(self._random.choice(ODD_VALUES))

    def _deepen(self, fields: Fields) -> None:
        if key := self._key(fields):
            for level in range(self._random.choice((1, 2, 30, 31, 32, 33, 200))):
                fields[key] = [fields[key]] if level % 2 else {"in": fields[key]}

    def _lengthen(self, fields: Fields) -> None:
        size = self._random.choice((10, 101, 257, 999, 1_001, 5_000, 70_000))
        value: Json = self._random.choice(("a" * size, "é" * size, "\\" * size))
        if size < 5_001 and self._random.random() < 0.5:
            value = self._random.choice(([0] * size, {f"k{n}": n for n in range(size)}))
        key = self._key(fields)
        if self._random.random() < 0.1:
            fields["n" * size] = value
        elif key:
            fields[key] = value

    def _reorder(self, fields: Fields) -> None:
        items = list(fields.items())
        self._random.shuffle(items)
        fields.clear()
        fields.update(items)

    def _damage(self, text: str) -> str:
        at = self._random.randrange(len(text) + 1)
        match self._random.randrange(4):
            case 0:
                return text[:at]
            case 1:
                return text[at:]
            case 2:
                return text[:at] + self._random.choice(DAMAGE) + text[at:]
            case _:
                return text.replace(": ", ":" + self._random.choice(DAMAGE), 1)
