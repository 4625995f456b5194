"""What the REST server needs from the call service, and from whoever knows its public address."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from fastapi import Request

from bridge.calls.paging import Page, Window
from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.records import CallRecord, EventRecord, MessageRecord, StageRecord
from bridge.calls.settings import CallSettings
from bridge.wire.messages import ForcedAgentMessage, HangUp, UserTextMessage

Injected: TypeAlias = ForcedAgentMessage | HangUp | UserTextMessage
JoinUrl: TypeAlias = Callable[[CallRecord, Request], str | None]
"""The address at which a call is joined, for somebody who sent this request; None for one that is dialled."""


class Calls(Protocol):
    """The call service, as REST sees it.

    Every method that takes a call id raises CallNotFound. The errors of `bridge.calls.errors` carry
    the status that answers them.
    """

    async def create(self, settings: CallSettings) -> CallRecord:
        """Make a call that waits to be joined.

        Raises: InvalidSettings (a model that nobody has, say), NoCapacity.
        """

    async def get(self, call_id: str) -> CallRecord:
        """One call, whether waiting, live or ended."""

    async def list(self, query: CallQuery, window: Window) -> Page[CallRecord]:
        """The calls that a filter takes."""

    async def delete(self, call_id: str) -> None:
        """Forget an ended call and its recording. Raises: StillLive before its end."""

    async def messages(
        self, call_id: str, query: MessageQuery, window: Window
    ) -> Page[MessageRecord]:
        """The conversation so far. Raises: StageNotFound for a stage that is not the call's."""

    async def events(self, call_id: str, query: EventQuery, window: Window) -> Page[EventRecord]:
        """What happened so far."""

    async def stages(self, call_id: str, window: Window) -> Page[StageRecord]:
        """The stages so far, oldest first."""

    async def stage(self, call_id: str, stage_id: str | None = None) -> StageRecord:
        """One stage with its tools; the last one if no id is given. Raises: StageNotFound."""

    async def recording_path(self, call_id: str) -> Path:
        """The WAV file of a call. Raises: RecordingNotFound; StillLive while it cannot be read."""

    async def send_data_message(self, call_id: str, message: Injected) -> None:
        """Have a live call take a message as if its client had sent it. Raises: NotLive."""

    def models(self) -> Sequence[str]:
        """The names that `model` may have, in the order to show them."""
