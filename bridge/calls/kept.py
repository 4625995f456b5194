"""What can be asked about calls: their records, and what was kept of them."""

import asyncio
from pathlib import Path

from bridge.calls.call import Parts
from bridge.calls.errors import RecordingNotFound, StillLive
from bridge.calls.paging import Page, Window
from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.recording import recording_path
from bridge.calls.records import CallRecord, EventRecord, MessageRecord, StageRecord


class KeptCalls:
    """Answers questions about calls, and forgets them.

    Args:
        parts: the store, the clock, and where recordings are (None: nothing is recorded).
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def get(self, call_id: str) -> CallRecord:
        """One call."""
        return await self._parts.store.call(call_id)

    async def list(self, query: CallQuery, window: Window) -> Page[CallRecord]:
        """A page of calls."""
        return await self._parts.store.calls(query, window)

    async def delete(self, call_id: str) -> None:
        """Forget a call that has ended, its recording included."""
        record = await self._parts.store.call(call_id)
        if record.ended is None:
            raise StillLive("The call has not ended yet: end it first, then delete it.")
        path = self._recording(call_id)
        if path is not None:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, lambda: path.unlink(missing_ok=True))
        await self._parts.store.delete_call(call_id, self._parts.now())

    async def messages(
        self, call_id: str, query: MessageQuery, window: Window
    ) -> Page[MessageRecord]:
        """A page of a call's messages."""
        return await self._parts.store.messages(call_id, query, window)

    async def events(self, call_id: str, query: EventQuery, window: Window) -> Page[EventRecord]:
        """A page of a call's events."""
        return await self._parts.store.events(call_id, query, window)

    async def stages(self, call_id: str, window: Window) -> Page[StageRecord]:
        """A page of a call's stages."""
        return await self._parts.store.stages(call_id, window)

    async def stage(self, call_id: str, stage_id: str | None = None) -> StageRecord:
        """One stage, or the last one."""
        return await self._parts.store.stage(call_id, stage_id)

    async def recording_path(self, call_id: str) -> Path:
        """The file of an ended call's recording."""
        record = await self._parts.store.call(call_id)
        if record.ended is None:
            raise StillLive("The call has not ended yet: its recording is still being written.")
        path = self._recording(call_id)
        loop = asyncio.get_running_loop()
        if (
            path is None
            or not record.settings.recording_enabled
            or not await loop.run_in_executor(None, path.exists)
        ):
            raise RecordingNotFound("This call has no recording.")
        return path

    def _recording(self, call_id: str) -> Path | None:
        if self._parts.recordings is None:
            return None
        return recording_path(self._parts.recordings, call_id)
