"""Answering client tools: whatever a function does, there is one answer, and the call lives on."""

import asyncio
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, field_serializer

from bridge.talk.events import ToolRun
from bridge.talk.tool_desk import MAX_KEPT, MAX_PENDING, ToolDesk
from bridge.talk.tools import Tool, ToolFailed, ToolReply, given_tool, make_tool, tool
from bridge.virtual import run_virtual
from bridge.wire.messages import ClientToolInvocation, ClientToolResult, JsonObject, encode
from bridge.wire.strict_json import MESSAGE


class Desk:
    """A desk whose agent is the test."""

    def __init__(self, *tools: Tool, by_hand: bool = False) -> None:
        loop = asyncio.get_running_loop()
        self.sent: list[ClientToolResult] = []
        self.told: list[ToolRun] = []
        self.desk = ToolDesk(loop.time, self.sent.append, self.told.append, by_hand=by_hand)
        self.desk.tools |= {each.name: each for each in tools}

    def ask(self, name: str, invocation_id: str = "i", arguments: JsonObject | None = None) -> None:
        given = arguments or {}
        self.desk.invoked(
            ClientToolInvocation(tool_name=name, invocation_id=invocation_id, parameters=given)
        )


def answered(function: Callable[..., Any], **arguments: object) -> ClientToolResult:
    """The one answer to one call of a tool."""

    async def ask() -> ClientToolResult:
        desk = Desk(given_tool("f", function))
        desk.ask("f", arguments=arguments)
        await asyncio.sleep(60)
        await desk.desk.stop()
        [sent] = desk.sent
        return sent

    return run_virtual(ask())


def failure(function: Callable[..., Any], **arguments: object) -> str:
    sent = answered(function, **arguments)
    assert sent.error_type == "implementation-error"
    assert sent.result is None
    assert sent.error_message
    assert "\n" not in sent.error_message
    return sent.error_message


def test_a_plain_function_and_a_coroutine_are_answered_alike() -> None:
    def plain(x: int) -> int:
        return x + 1

    async def waits(x: int) -> int:
        await asyncio.sleep(1)
        return x + 1

    assert answered(plain, x=1).result == answered(waits, x=1).result == "2"


def test_a_function_that_throws_is_answered_with_its_sentence() -> None:
    def broken() -> None:
        raise ValueError("there is no\nsuch table")

    why = failure(broken)

    assert why.startswith("ValueError: there is no such table (test_tool_desk.py, line ")


def test_a_function_may_fail_in_its_own_words() -> None:
    async def full() -> None:
        raise ToolFailed("all tables are taken")

    assert failure(full) == "all tables are taken"


@pytest.mark.parametrize(
    "error", [SystemExit("bye"), asyncio.CancelledError(), TimeoutError("own")]
)
def test_no_exception_of_a_function_ends_the_call(error: BaseException) -> None:
    async def rude() -> None:
        raise error

    assert failure(rude).startswith(type(error).__name__)


def test_a_function_that_leaves_the_program_is_answered() -> None:
    def leaves() -> None:
        sys.exit(3)

    assert failure(leaves).startswith("SystemExit: 3")


class _OwnKind(BaseException):
    """What only `except BaseException` catches."""


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), _OwnKind("mine"), StopIteration("no more"), SystemExit(1)]
)
def test_what_a_function_in_a_thread_raises_is_answered_at_once(error: BaseException) -> None:
    def rude() -> None:
        raise error

    assert failure(rude).startswith(type(error).__name__)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), _OwnKind("mine")])
def test_what_a_coroutine_raises_does_not_end_the_loop(error: BaseException) -> None:
    async def rude() -> None:
        raise error

    assert failure(rude).startswith(type(error).__name__)


def test_an_error_that_cannot_say_its_words_is_answered_by_its_kind() -> None:
    class Mute(Exception):  # noqa: N818 - an odd one is the point
        def __str__(self) -> str:
            raise RuntimeError

    def broken() -> None:
        raise Mute

    assert failure(broken).startswith("Mute (test_tool_desk.py, line ")


@pytest.mark.parametrize("words", ["a\ud800b", "y" * 1_000_000, "", " \n "])
@pytest.mark.parametrize("kind", [ToolFailed, ValueError])
def test_whatever_the_words_of_a_failure_are_a_message_can_carry_them(
    kind: type[Exception], words: str
) -> None:
    def broken() -> None:
        raise kind(words)

    assert len(encode(answered(broken)).encode()) < MESSAGE.max_bytes


def test_a_function_that_yields_without_end_is_answered_and_not_waited_for() -> None:
    def counts() -> Iterator[int]:
        yield from itertools.count()

    assert "JSON cannot carry" in failure(counts)


def test_a_model_that_never_ends_is_answered_and_not_waited_for() -> None:
    @dataclass
    class Report:
        lines: Iterator[int]

    assert "JSON cannot carry" in failure(lambda: Report(itertools.count()))


async def test_a_model_that_hangs_while_it_becomes_json_does_not_hold_the_audio_up() -> None:
    go_on = threading.Event()

    class Slow(BaseModel):
        n: int = 1

        @field_serializer("n")
        def waits(self, n: int) -> int:
            go_on.wait(10)
            return n

    @tool(deadline_s=0.05)
    async def slow() -> Slow:
        return Slow()

    desk = Desk(make_tool(slow))
    desk.ask("slow")
    while not desk.sent:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    go_on.set()

    [sent] = desk.sent
    assert sent.error_message == "it did not answer within 0.05 s"


def test_a_coroutine_that_hangs_is_answered_at_its_deadline() -> None:
    @tool(deadline_s=2.5)
    async def hangs() -> None:
        await asyncio.Event().wait()

    async def ask() -> tuple[float | None, str | None]:
        desk = Desk(make_tool(hangs))
        desk.ask("hangs")
        await asyncio.sleep(10)
        [sent] = desk.sent
        return desk.told[-1].done_s, sent.error_message

    assert run_virtual(ask()) == (2.5, "it did not answer within 2.5 s")


async def test_a_function_that_blocks_harms_neither_the_loop_nor_the_exit() -> None:
    go_on = threading.Event()

    @tool(deadline_s=0.05)
    def blocks() -> str:
        go_on.wait(10)
        return "too late"

    desk = Desk(make_tool(blocks))
    desk.ask("blocks")
    await asyncio.sleep(0.2)

    [sent] = desk.sent
    assert sent.error_message == "it did not answer within 0.05 s"
    assert all(each.daemon for each in threading.enumerate() if each.name == "client tool")
    go_on.set()
    await asyncio.sleep(0.05)
    assert len(desk.sent) == 1


@pytest.mark.parametrize("value", [object(), float("nan"), b"\xff"])
def test_what_json_cannot_carry_is_answered_so(value: object) -> None:
    assert "JSON cannot carry" in failure(lambda: value)


def test_half_a_character_is_answered() -> None:
    assert "no message can carry" in failure(lambda: "\ud800")


def test_a_result_has_the_bound_of_a_message() -> None:
    assert answered(lambda: "x" * 65_000).result == "x" * 65_000
    assert "more than the 65536" in failure(lambda: "x" * 65_500)


def test_a_reply_says_more_than_its_result() -> None:
    def ends() -> ToolReply:
        return ToolReply(
            result={"strict": True},
            response_type="hang-up",
            agent_reaction="listens",
            update_call_state={"n": 1},
        )

    sent = answered(ends)

    assert sent.result == '{"strict": true}'
    assert (sent.response_type, sent.agent_reaction) == ("hang-up", "listens")
    assert sent.update_call_state == {"n": 1}


def test_a_reply_of_nonsense_is_answered() -> None:
    def nonsense() -> ToolReply:
        return ToolReply(response_type="explode")  # type: ignore[arg-type]

    assert "no message can carry" in failure(nonsense)


def test_a_tool_that_nobody_knows_is_undefined() -> None:
    async def ask() -> ClientToolResult:
        desk = Desk()
        desk.ask("x")
        return desk.sent[0]

    assert run_virtual(ask()).error_type == "undefined"


def test_a_person_may_answer_while_the_function_runs_and_the_first_answer_counts() -> None:
    cancelled: list[bool] = []

    async def slow() -> str:
        try:
            await asyncio.sleep(5)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return "slow"

    async def ask() -> list[str | None]:
        desk = Desk(make_tool(slow))
        desk.ask("slow")
        await asyncio.sleep(1)
        assert desk.desk.answer("i", "by hand", None)
        await asyncio.sleep(10)
        return [sent.result for sent in desk.sent]

    assert run_virtual(ask()) == ["by hand"]
    assert cancelled == [True]


def test_an_invocation_that_comes_twice_is_run_once() -> None:
    async def ask() -> int:
        desk = Desk(by_hand=True)
        desk.ask("x")
        desk.ask("x")
        desk.desk.answer("i", "", None)
        return len(desk.sent)

    assert run_virtual(ask()) == 1


def test_tool_calls_that_wait_have_a_bound() -> None:
    async def ask() -> tuple[int, int]:
        desk = Desk(by_hand=True)
        for number in range(MAX_PENDING):
            desk.ask("x", str(number))
        before = len(desk.sent)
        desk.ask("x", "one more")
        return before, len(desk.sent)

    assert run_virtual(ask()) == (0, 1)


def test_tool_calls_that_are_remembered_have_a_bound() -> None:
    async def ask() -> tuple[int, bool]:
        desk = Desk(by_hand=True)
        desk.ask("first", "waits")
        for number in range(MAX_KEPT + 5):
            desk.ask("x", str(number))
            desk.desk.answer(str(number), "", None)
        return len(desk.desk.runs), "waits" in desk.desk.runs

    assert run_virtual(ask()) == (MAX_KEPT, True)


def test_the_end_of_the_call_lets_go_of_what_runs() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.5)

    async def ask() -> tuple[int, float]:
        desk = Desk(make_tool(stubborn))
        desk.ask("stubborn")
        await asyncio.sleep(1)
        await desk.desk.stop()
        return len(desk.sent), asyncio.get_running_loop().time()

    assert run_virtual(ask()) == (0, 1.5)
