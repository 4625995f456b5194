"""The one exception that carries an answer: raised anywhere below a route, worded where it is known."""

from collections.abc import Mapping

from bridge.errors import BridgeError


class Refused(BridgeError):  # noqa: N818 - reads as what happened
    """A request is answered with this status and JSON body."""

    def __init__(
        self, status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"refused with status {status}")
        self.status = status
        self.body = body
        self.headers = headers


def detail(status: int, text: str, headers: Mapping[str, str] | None = None) -> Refused:
    """The answer that says one sentence."""
    return Refused(status, {"detail": sentence(text)}, headers)


def sentence(text: str) -> str:
    """The text with a capital at the beginning and a stop at the end."""
    stop = "" if not text or text.endswith((".", "?", "!")) else "."
    return f"{text[:1].upper()}{text[1:]}{stop}"
