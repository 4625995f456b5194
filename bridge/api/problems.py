"""What is wrong with a request, field by field, in the form of Django REST framework.

`{"medium": {"serverWebSocket": {"inputSampleRate": ["This field is required."]}}}`: objects nest by
name, lists by the index of the item as text, and what concerns a whole object stands under
`non_field_errors`. Sentences never repeat what was sent: it may be a secret.
"""

from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from pydantic import ValidationError

from bridge.api.refusal import Refused

Place: TypeAlias = tuple[str | int, ...]
Tree: TypeAlias = dict[str, "Tree | list[str]"]

WHOLE: Final = "non_field_errors"
_OUR_SENTENCES: Final = {
    "missing": "This field is required.",
    "model_type": "A JSON object is needed here.",
    "dict_type": "A JSON object is needed here.",
    "list_type": "A JSON list is needed here.",
    "int_type": "A whole number is needed here.",
    "float_type": "A number is needed here.",
    "string_type": "A string is needed here.",
    "bool_type": "true or false is needed here.",
}


class Problems:
    """Collects sentences with their places; `at` gives a view of a nested place."""

    def __init__(self) -> None:
        self._found: list[tuple[Place, str]] = []
        self._prefix: Place = ()

    def at(self, *place: str | int) -> "Problems":
        """A view whose places begin here; what it collects is collected in this one too."""
        view = Problems()
        view._found, view._prefix = self._found, (*self._prefix, *place)
        return view

    def add(self, sentence: str, *place: str | int) -> None:
        """One more sentence about a place under this view's."""
        self._found.append(((*self._prefix, *place), sentence))

    def raise_any(self) -> None:
        """Raises: Refused with status 400 when anything was collected."""
        if self._found:
            raise Refused(400, tree(self._found))


def tree(problems: Iterable[tuple[Place, str]]) -> Tree:
    """The body that says these problems."""
    root: Tree = {}
    for place, sentence in problems:
        node = root
        for part in place[:-1]:
            node = _below(node, str(part))
        _note(node, str(place[-1]) if place else WHOLE, sentence)
    return root


def from_validation(errors: Sequence[dict[str, object]], *, skip: int = 0) -> Tree:
    """The body for what pydantic found; `skip` leaves out the first parts of each place."""
    return tree((_place(error)[skip:], _sentence(error)) for error in errors)


def refused(exc: ValidationError) -> Refused:
    """The answer to a body that does not fit its model."""
    errors = exc.errors(include_url=False, include_context=False, include_input=False)
    return Refused(400, from_validation([dict(error) for error in errors]))


def _place(error: dict[str, object]) -> Place:
    place = error["loc"]
    assert isinstance(place, tuple)
    return place


def _sentence(error: dict[str, object]) -> str:
    own = _OUR_SENTENCES.get(str(error["type"]))
    return own or f"{str(error['msg']).rstrip('.')}."


def _below(node: Tree, name: str) -> Tree:
    """The object under a name; sentences that stood there move to its `non_field_errors`."""
    child = node.setdefault(name, {})
    if isinstance(child, list):
        child = node[name] = {WHOLE: child}
    return child


def _note(node: Tree, name: str, sentence: str) -> None:
    leaf = node.setdefault(name, [])
    if isinstance(leaf, dict):
        _note(leaf, WHOLE, sentence)
    else:
        leaf.append(sentence)
