"""Carrying out what an answer document asks for: streams, recordings, speech, other people."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from bridge.testing.call_parts import CallEnd, Exchange, Refused
from bridge.testing.commands import StreamEnd
from bridge.testing.line import Player
from bridge.testing.sounds import Sound, recording, ringing, spoken
from bridge.testing.stream import MediaStream
from bridge.testing.verbs import Dial, Pause, PlayKeys, PlayRecording, Say, Stream, Verb
from bridge.testing.webhook import WebhookFailed

if TYPE_CHECKING:
    from bridge.testing.phone_call import PhoneCall

RING_S: Final = 2.0


class Performance:
    """Does one verb after the other on a call's line; each is broken off when something else is ordered.

    Args:
        call: whose line.
        exchange: its carrier.
        ordered: set while an order waits.
        end_by_order: how a stream ends by the order that waits.
    """

    def __init__(
        self,
        call: "PhoneCall",
        exchange: Exchange,
        ordered: asyncio.Event,
        end_by_order: Callable[[], StreamEnd],
    ) -> None:
        self._call = call
        self._exchange = exchange
        self._ordered = ordered
        self._end_by_order = end_by_order

    async def perform(self, verb: Verb) -> CallEnd | None:
        """Do it; the end of the call, if it came with it."""
        call = self._call
        match verb:
            case Stream():
                return await self._stream(verb)
            case PlayRecording(url):
                await self._play_recording(url)
            case Say(text):
                call.log.note("said", text=text)
                await self._play(Sound(spoken(text, call.ear.rate_hz)))
            case Pause(seconds):
                await self._busy_with(None, seconds)
            case PlayKeys(digits):
                call.log.note("keys from the application", digits=digits)
                await self._busy_with(None, 0.5 * len(digits))
            case Dial(target):
                call.log.note("connected", to=target)
                call.connected_to = target
                await self._busy_with(Sound(ringing(RING_S, call.ear.rate_hz)), None)
        return None

    async def _play_recording(self, url: str) -> None:
        call = self._call
        call.log.note("played", url=url)
        try:
            content = await self._exchange.fetch(url)
        except WebhookFailed as error:
            call.log.problem(f"A recording to play cannot be had: {error}.")
            return
        loop = asyncio.get_running_loop()
        samples = await loop.run_in_executor(None, recording, content, call.ear.rate_hz)
        if samples is None:
            call.log.problem("A recording to play is no audio.")
            return
        await self._play(Sound(samples))

    async def _play(self, sound: Sound) -> None:
        await self._busy_with(sound, sound.n_samples / self._call.ear.rate_hz)

    async def _busy_with(self, player: Player | None, seconds: float | None) -> None:
        """Have this played until it is over or something else is ordered; None: until something is."""
        line = self._call.line
        line.player = player
        try:
            async with asyncio.timeout(seconds):
                await self._ordered.wait()
        except TimeoutError:
            pass
        finally:
            line.player = None

    async def _stream(self, verb: Stream) -> CallEnd | None:
        call, exchange = self._call, self._exchange
        opened = await exchange.open(call, verb)
        if isinstance(opened, Refused):
            call.log.problem(opened.sentence)
            call.refused = True
            refusal = StreamEnd("carrier", opened.sentence, error=opened.code)
            await exchange.stream_told(call, verb, "", refusal)
            return None
        call.log.note("stream opened")
        stream = call.stream = MediaStream(opened.dialect, opened.socket, call.ear, call.log)
        stream.start()
        call.line.player = stream
        call.on_change()
        await exchange.stream_told(call, verb, opened.stream_id, None)
        end = call.stream_end = await self._streamed(stream)
        await exchange.stream_told(call, verb, opened.stream_id, end)
        if end.connect_to:
            return await self.perform(Dial(end.connect_to))
        return CallEnd(end.by, end.how) if end.hang_up else None

    async def _streamed(self, stream: MediaStream) -> StreamEnd:
        """Wait for the end of a stream, from either side."""
        loop = asyncio.get_running_loop()
        ordered = loop.create_task(self._ordered.wait(), name="orders of a phone call")
        either: set[asyncio.Future[Any]] = {stream.ended, ordered}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ordered.cancel()
            self._call.line.player = None
            end = stream.ended.result() if stream.ended.done() else self._end_by_order()
            await stream.close(end)
        return end
