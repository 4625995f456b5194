"""Answering the client tools of a call, by functions or by hand: named as in the vendor's SDKs (ultravox 3.1)."""

from collections.abc import Mapping

from bridge.talk.call_view import CallView
from bridge.talk.tools import ToolImplementation, given_tool


class AnsweringCall(CallView):
    """A call whose client tools are answered on this side."""

    def register_tool_implementation(self, name: str, implementation: ToolImplementation) -> None:
        """Answer a client tool with a function, async or not.

        One with a single parameter that is unannotated or a dict gets all arguments as a dict, as in the vendor's
        SDKs; any other gets them by name, checked against its annotations. Raises: UsageError.
        """
        self._desk.tools[name] = given_tool(name, implementation)

    def register_tool_implementations(self, tools: Mapping[str, ToolImplementation]) -> None:
        """Answer several client tools. Raises: UsageError."""
        for name, implementation in tools.items():
            self.register_tool_implementation(name, implementation)

    def answer_tool(
        self, invocation_id: str, result: str = "", *, error: str | None = None
    ) -> bool:
        """Answer a tool by hand, whether its function still runs or nobody else can; false if it is answered already.

        `error` instead of a result says in one sentence why there is none.
        """
        return self._desk.answer(invocation_id, result, error)
