"""The script language as pydantic models: what a script file may hold.

The language is explained for its writers in config/scripts.md. Every table forbids unknown keys
and proposes the nearest known one. The short forms (`say = "text"`, `wait = "any"`) are turned
into tables before they are read, so that an error always names one place.
"""

from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    model_validator,
)

from bridge.brains.script.fields import (
    MAX_TEXT_CHARS,
    Label,
    Phrase,
    Text,
    ToolName,
    Value,
    Values,
    Variable,
)
from bridge.errors import did_you_mean

VERBS: Final = ("say", "wait", "tool", "goto", "set", "hang_up")


def _as_say(value: object) -> object:
    if not isinstance(value, str | dict | None):
        raise ValueError("this must be a text, in quotes")  # noqa: TRY004
    return {"text": value} if isinstance(value, str) else value


def _as_wait(value: object) -> object:
    if isinstance(value, str):
        if value != "any":
            raise ValueError('the short form is wait = "any"; else write wait.expect = [...]')
        return {}
    return value


def _as_hang_up(value: object) -> object:
    match value:
        case str():
            return {"message": value}
        case True:
            return {}
        case _:
            return value


class Table(BaseModel):
    """A table of the language: strict types, and no key that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, data: object) -> object:
        if isinstance(data, dict):
            known = list(cls.model_fields)
            for key in data:
                if key not in known:
                    word = str(key)[:80]
                    raise ValueError(f"unknown key {word!r}{did_you_mean(word, known)}")
        return data


class SayPart(Table):
    """What the agent says."""

    text: Text
    uninterruptible: bool = False


class HangUpPart(Table):
    """The end of the call, after an optional last message."""

    message: Text | None = None


class Branch(Table):
    """Where the script goes on: set variables, say something, run steps, then `goto`."""

    set: Values = {}
    say: Annotated[SayPart | None, BeforeValidator(_as_say)] = None
    steps: "list[Step]" = []
    goto: Label | None = None


class Answer(Branch):
    """The branch for a user turn that is one of `phrases`."""

    phrases: list[Phrase] = Field(min_length=1, max_length=100)


class Otherwise(Branch):
    """The branch for every other turn: `repeats` times it ends in waiting again, then `goto`."""

    repeats: int | None = Field(None, ge=0, le=20)


class WaitPart(Table):
    """Wait for a user turn: any, or one of the expected answers."""

    expect: list[Answer] = Field([], max_length=100)
    otherwise: Otherwise | None = None
    save: Variable | None = None

    @model_validator(mode="after")
    def _phrases_tell_answers_apart(self) -> "WaitPart":
        seen: set[str] = set()
        for phrase in (phrase for answer in self.expect for phrase in answer.phrases):
            if phrase in seen:
                raise ValueError(f"the phrase {phrase!r} is expected twice")
            seen.add(phrase)
        if self.otherwise and not self.expect:
            raise ValueError("'otherwise' needs 'expect': without phrases every turn fits")
        return self


class ResultBranch(Branch):
    """The branch for a tool result whose fields equal `when` and that has the fields `has`."""

    when: Values = {}
    has: list[Variable] = []

    @model_validator(mode="after")
    def _asks_something(self) -> "ResultBranch":
        if not self.when and not self.has:
            raise ValueError("the branch needs 'when' or 'has'; without them use the next step")
        return self


class ToolPart(Table):
    """Call a tool and branch on what comes back."""

    name: ToolName
    arguments: dict[str, JsonValue] = {}
    on: list[ResultBranch] = Field([], max_length=100)
    error: Branch | None = None


class Step(Table):
    """One step: an optional label and exactly one verb."""

    label: Label | None = None
    say: Annotated[SayPart | None, BeforeValidator(_as_say)] = None
    wait: Annotated[WaitPart | None, BeforeValidator(_as_wait)] = None
    tool: ToolPart | None = None
    goto: Label | None = None
    set: Values | None = None
    hang_up: Annotated[HangUpPart | None, BeforeValidator(_as_hang_up)] = None

    @model_validator(mode="after")
    def _one_verb(self) -> "Step":
        verbs = [verb for verb in VERBS if getattr(self, verb) is not None]
        if not verbs:
            raise ValueError(f"the step does nothing; it needs one of {', '.join(VERBS)}")
        if len(verbs) > 1:
            raise ValueError(f"{' and '.join(verbs)} are {len(verbs)} steps; write one for each")
        return self


class Parameter(Table):
    """One parameter of a tool, a small part of JSON Schema."""

    type: Literal["string", "number", "integer", "boolean", "object", "array"] = "string"
    description: Text | None = None
    enum: list[Value] | None = Field(None, min_length=1)
    required: bool = True


class ScriptTool(Table):
    """A tool that the script calls; the caller's side runs it.

    `answer` is the result that `tipring` itself gives where it stands in for the caller.
    """

    name: ToolName
    description: Text | None = None
    parameters: dict[ToolName, Parameter] = {}
    answer: str | None = Field(None, max_length=MAX_TEXT_CHARS)


class Script(Table):
    """A whole script."""

    description: str = ""
    variables: Values = {}
    tools: list[ScriptTool] = Field([], max_length=100)
    steps: list[Step] = Field(min_length=1, max_length=1_000)
