"""Client tools as Python functions: the signature says the parameters, pydantic checks what the agent gives.

A function's annotations become the JSON schemas of the tool's parameters (reference 5.2: `dynamicParameters`), its
docstring the descriptions; what it gives back becomes the text of the result. It may be async or not: one that is not
runs in a thread of its own, so that the audio never waits for it.
"""

import inspect
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.client import JsonDict
from bridge.errors import UsageError
from bridge.talk.tool_schema import PLAIN, arguments_of, hints_of, schemas_of
from bridge.talk.tool_words import described
from bridge.wire.messages import AgentReaction, ResponseType

ToolImplementation: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=ToolImplementation)

DEFAULT_DEADLINE_S: Final = 10.0
MAX_DEADLINE_S: Final = 39.0
"""The API waits 40 s at most (reference 5.2), and the answer has a way to go."""
_MARK: Final = "__tipring_tool__"
_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BODY: Final = "PARAMETER_LOCATION_BODY"


class ToolFailed(Exception):  # noqa: N818 - reads as what happened
    """A tool has no result; the sentence says why. A tool's own function may raise it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReply:
    """What a tool may give back instead of a plain value (reference 1.4).

    Attributes:
        result: As a tool's plain result: a text, or anything that JSON can carry.
        response_type: `hang-up` ends the call, `new-stage` begins another stage.
        agent_reaction: What the agent does then; None leaves it to the tool's definition.
        update_call_state: The call's new state, if any.
    """

    result: object = ""
    response_type: ResponseType = "tool-response"
    agent_reaction: AgentReaction | None = None
    update_call_state: dict[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A client tool and the function that answers it; `make_tool` makes one.

    Attributes:
        name: As the model knows it.
        description: For the model.
        implementation: The function.
        deadline_s: How long it may take, s.
        arguments: Checks the arguments; None: the function gets them all as one dict, unchecked.
        parameters: JSON Schema of each parameter by name.
        required: Which of them must be given.
    """

    name: str
    description: str
    implementation: ToolImplementation
    deadline_s: float = DEFAULT_DEADLINE_S
    arguments: type[BaseModel] | None = None
    parameters: Mapping[str, JsonDict] = field(default_factory=dict)
    required: frozenset[str] = frozenset()

    @property
    def selected(self) -> JsonDict:
        """The tool as one of `selectedTools` of a request that makes a call (reference 5.1)."""
        definition: JsonDict = {
            "modelToolName": self.name,
            "description": self.description or self.name,
            "timeout": f"{self.deadline_s + 1:g}s",
            "client": {},
        }
        if self.parameters:
            definition["dynamicParameters"] = [
                {
                    "name": name,
                    "location": _BODY,
                    "schema": schema,
                    "required": name in self.required,
                }
                for name, schema in self.parameters.items()
            ]
        return {"temporaryTool": definition}

    def bind(self, given: Mapping[str, object]) -> Callable[[], Any]:
        """The function with these arguments, checked. Raises: ToolFailed."""
        if self.arguments is None:
            return lambda: self.implementation(dict(given))
        try:
            checked = self.arguments.model_validate(given)
        except ValidationError as exc:
            raise ToolFailed(f"the arguments do not fit: {_complaint(exc)}") from None
        named = {
            info.alias or name: getattr(checked, name)
            for name, info in self.arguments.model_fields.items()
        }
        return lambda: self.implementation(**named)


def tool(*, name: str | None = None, deadline_s: float = DEFAULT_DEADLINE_S) -> Callable[[F], F]:
    """Say of a function of a tools file how it is named for the model, and how long it may take."""

    def mark(function: F) -> F:
        setattr(function, _MARK, (name, deadline_s))
        return function

    return mark


def make_tool(function: ToolImplementation, *, name: str | None = None) -> Tool:
    """A tool of a function: every parameter annotated, none of them `*args`, `**kwargs` or positional-only.

    Raises: UsageError with one sentence.
    """
    marked_name, deadline_s = getattr(function, _MARK, (None, DEFAULT_DEADLINE_S))
    called = str(name or marked_name or getattr(function, "__name__", ""))
    if not _NAME.fullmatch(called):
        raise UsageError(
            f"{called[:80]!r} is no name of a tool: 1 to 64 letters of English, digits, - and _"
        )
    if not 0 < deadline_s <= MAX_DEADLINE_S:
        raise UsageError(f"the deadline of {called} lies above 0 and up to {MAX_DEADLINE_S:g} s")
    description, words = described(inspect.getdoc(function) or "")
    arguments = arguments_of(function, called, words)
    parameters, required = schemas_of(arguments, called)
    return Tool(called, description, function, deadline_s, arguments, parameters, required)


def given_tool(name: str, function: ToolImplementation) -> Tool:
    """A tool of a function that is registered by hand: `make_tool`, or one dict as in the vendor's SDKs.

    Raises: UsageError.
    """
    if not callable(function):
        raise UsageError(f"the implementation of {name[:80]!r} is no function")
    return _whole_dict(name, function) or make_tool(function, name=name)


def _complaint(exc: ValidationError) -> str:
    """The first problem: which argument, and what is wrong with it; the value is not repeated."""
    problem = exc.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {problem['msg']}" if where else problem["msg"]


def _whole_dict(name: str, function: ToolImplementation) -> Tool | None:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (ValueError, TypeError):
        return None
    if len(parameters) != 1 or parameters[0].kind not in (*PLAIN, parameters[0].POSITIONAL_ONLY):
        return None
    told = parameters[0].annotation
    told = hints_of(function, name).get(parameters[0].name, told) if isinstance(told, str) else told
    origin = typing.get_origin(told) or told
    if origin not in (inspect.Parameter.empty, Any, dict, Mapping):
        return None
    description, _ = described(inspect.getdoc(function) or "")
    _, deadline_s = getattr(function, _MARK, (None, DEFAULT_DEADLINE_S))
    return Tool(name, description, function, deadline_s)
