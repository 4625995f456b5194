"""What can go wrong with a call that is asked for by id or by join URL.

Each class carries the HTTP status that says it; the REST server and the join socket both read it.

    CallError
    ├── InvalidSettings   400  one field of the settings cannot be served
    ├── RoomRefused       401  a token that does not open the room of a WebRTC call
    ├── CallNotFound      404  no call of that id
    ├── StageNotFound     404
    ├── RecordingNotFound 404  not recorded, or nothing to record
    ├── TokenUnknown      404  a join URL that names no call
    ├── AlreadyJoined     409  a join URL works once
    ├── CallOver          410  a join URL of a call that has ended
    ├── NotLive           422  a message for a call that is not joined, or has ended
    ├── StillLive         425  what can only be done after the end
    ├── TooManyJoins      429  a client that joins its room again and again: ask again after `retry_after_s`
    ├── TooManyToday      429  no further phone call may be placed today: ask again after `retry_after_s`
    ├── NotDialled        502  the carrier did not place the phone call
    └── NoCapacity        503  not now: ask again after `retry_after_s`
"""

from typing import ClassVar

from bridge.errors import BridgeError


class CallError(BridgeError):
    """The root; `status` is the HTTP status that says it."""

    status: ClassVar[int] = 400


class InvalidSettings(CallError):  # noqa: N818 - these read as what happened
    """One field of the settings cannot be served; `field` is its REST name, such as "model"."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class RoomRefused(CallError):  # noqa: N818
    """A token does not open the room of a WebRTC call."""

    status: ClassVar[int] = 401


class CallNotFound(CallError):  # noqa: N818
    """No call has this id."""

    status: ClassVar[int] = 404


class StageNotFound(CallError):  # noqa: N818
    """The call has no stage of this id."""

    status: ClassVar[int] = 404


class RecordingNotFound(CallError):  # noqa: N818
    """The call was not recorded, or nothing was heard in it."""

    status: ClassVar[int] = 404


class TokenUnknown(CallError):  # noqa: N818
    """A join URL names no call."""

    status: ClassVar[int] = 404


class AlreadyJoined(CallError):  # noqa: N818
    """A second client used a join URL."""

    status: ClassVar[int] = 409


class CallOver(CallError):  # noqa: N818
    """A join URL was used after its call had ended."""

    status: ClassVar[int] = 410


class NotLive(CallError):  # noqa: N818
    """A message was sent to a call that is not joined yet, or has ended."""

    status: ClassVar[int] = 422


class StillLive(CallError):  # noqa: N818
    """Something was asked of a call that can only be done after its end."""

    status: ClassVar[int] = 425


class TooManyJoins(CallError):  # noqa: N818
    """A client joins its room again and again; ask again after `retry_after_s` seconds."""

    status: ClassVar[int] = 429

    def __init__(self, sentence: str, *, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class TooManyToday(CallError):  # noqa: N818
    """No further phone call may be placed today; ask again after `retry_after_s` seconds."""

    status: ClassVar[int] = 429

    def __init__(self, sentence: str, *, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class NotDialled(CallError):  # noqa: N818
    """The carrier did not place the phone call."""

    status: ClassVar[int] = 502


class NoCapacity(CallError):  # noqa: N818
    """No call can be taken now; ask again after `retry_after_s` seconds."""

    status: ClassVar[int] = 503

    def __init__(self, sentence: str, *, retry_after_s: int = 1) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s
