"""What a carrier's messages are where its documents say nothing special."""

from collections.abc import Sequence

from bridge.testing.commands import Message, StreamEnd
from bridge.testing.playout import Playout


class PlainDialect:
    """Ready at once, tells nothing of its buffer, closes without a word."""

    overflow = ""

    @property
    def ready(self) -> bool:
        """See Dialect."""
        return True

    def key(self, digit: str) -> Sequence[Message]:  # noqa: ARG002 - some carriers tell
        """See Dialect."""
        return ()

    def reached(self, mark: str) -> Sequence[Message]:  # noqa: ARG002
        """See Dialect."""
        return ()

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:
        """See Dialect: every mark that waits comes back as if its audio had been played."""
        return [message for mark in marks for message in self.reached(mark)]

    def progress(self, playout: Playout) -> Sequence[Message]:  # noqa: ARG002
        """See Dialect."""
        return ()

    def closing(self, end: StreamEnd) -> Sequence[Message]:  # noqa: ARG002
        """See Dialect."""
        return ()

    def farewell_s(self, end: StreamEnd) -> float:  # noqa: ARG002
        """See Dialect."""
        return 0.0
