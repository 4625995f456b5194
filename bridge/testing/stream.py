"""The carrier's end of one media socket, whatever the carrier: a dialect for the messages, a buffer for the audio."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bridge.legs.media_socket import MediaSocket, send_message
from bridge.testing.call_log import CallLog
from bridge.testing.commands import (
    Answer,
    Clear,
    Command,
    Connect,
    Dialect,
    Digits,
    DropMarks,
    EndStream,
    HangUp,
    Hold,
    Mark,
    Message,
    Play,
    StreamEnd,
    Wrong,
)
from bridge.testing.playout import Packet, Playout
from bridge.testing.true_ear import TrueEar
from bridge.wire.close_codes import NORMAL
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

MAX_UNREAD_BYTES: Final = 256 * 1024
"""An application that leaves so much unread loses audio."""
FAR_AHEAD_S: Final = 30.0
"""Audio that waits longer than this to be played is worth a remark."""
CLOSE_S: Final = 5.0


class MediaStream:
    """A stream that is open: a player for the line, a receiver for the socket.

    Args:
        dialect: the carrier's messages.
        socket: the carrier's end.
        ear: is told of clears.
        log: is told of everything but audio.
    """

    def __init__(self, dialect: Dialect, socket: MediaSocket, ear: TrueEar, log: CallLog) -> None:
        self.ended: asyncio.Future[StreamEnd] = asyncio.get_running_loop().create_future()
        self.playout = Playout()
        self._dialect = dialect
        self._socket = socket
        self._ear = ear
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()
        self._inward = _between(ear.rate_hz, dialect.said_hz)
        self._outward = _between(dialect.played_hz, ear.rate_hz)
        self._heard_first = False

    def start(self) -> None:
        """Begin: the carrier's first messages go out."""
        self._send(self._dialect.opening())
        self._socket.start(self)

    async def close(self, end: StreamEnd) -> None:
        """End the stream from the carrier's side; in time, whatever the application does."""
        if not self.ended.done():
            self._finish(end)
        if not self._gone.is_set():
            self._send(self._dialect.closing(end))
            await self._wait_gone(self._dialect.farewell_s(end))
            self._socket.close(NORMAL)
            await self._wait_gone(CLOSE_S)
        self._log.note(
            "stream closed", unplayed_ms=round(1000 * self.playout.waiting / self._ear.rate_hz)
        )

    # The line's side

    def play(self, n_samples: int) -> Packet:
        """The next packet for the caller."""
        packet = self.playout.packet(n_samples)
        for mark in packet.reached:
            self._reached(mark)
        if not self.ended.done():
            self._send(self._dialect.progress(self.playout))
        return packet

    def said(self, samples: Int16) -> None:
        """A packet of the caller's, for the application."""
        if self.ended.done() or not self._dialect.ready:
            return
        if self._socket.buffered_bytes > MAX_UNREAD_BYTES:
            number = f" (warning {self._dialect.overflow})" if self._dialect.overflow else ""
            self._log.problem(
                f"The application does not read its socket: audio of the caller is lost{number}."
            )
            return
        if self._inward is not None:
            samples = self._inward.push(samples)
        self._send(self._dialect.said(samples))

    def key(self, digit: str) -> None:
        """The caller pressed a key."""
        if not self.ended.done():
            self._log.note("key pressed", digit=digit)
            self._send(self._dialect.key(digit))

    # The socket's side

    def on_text(self, text: str) -> None:
        """A text message of the application."""
        self._read(text)

    def on_bytes(self, data: bytes) -> None:
        """A binary message of the application."""
        self._read(data)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The socket is over."""
        self._gone.set()
        self._log.note(
            "socket closed", code=code, reason=reason, by="carrier" if ours else "far end"
        )
        if self.ended.done():
            return
        if code == 1006:
            self._finish(StreamEnd("network", f"the connection was lost ({reason})"))
        else:
            self._finish(StreamEnd("application", f"it closed the socket with {code}"))

    # Inside

    def _read(self, message: Message) -> None:
        if self.ended.done():
            return
        for command in self._dialect.read(message):
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case Play(samples):
                self._play(samples)
            case Mark(name):
                self._log.note("mark", name=name, waiting_ms=self._waiting_ms())
                if self.playout.mark(name):
                    self._reached(name)
            case Clear():
                self._clear()
            case Answer(message):
                self._send([message])
            case Hold(paused):
                self.playout.paused = paused
            case _:
                self._obey_rarely(command)

    def _obey_rarely(self, command: Command) -> None:
        match command:
            case Digits(digits):
                self._log.note("keys from the application", digits=digits)
            case DropMarks():
                self._send(self._dialect.cleared(self.playout.drop_marks()))
            case HangUp(how):
                self._finish(StreamEnd("application", how, hang_up=True))
            case EndStream(how):
                self._finish(StreamEnd("application", how))
            case Connect(target):
                how = "it sent the caller elsewhere"
                self._finish(StreamEnd("application", how, connect_to=target))
            case Wrong(sentence, ends_with):
                self._log.problem(sentence)
                if ends_with:
                    self._finish(StreamEnd("carrier", sentence, error=ends_with))

    def _play(self, samples: Int16) -> None:
        if not self._heard_first and samples.size:
            self._heard_first = True
            self._log.note("first audio")
        if self._outward is not None:
            samples = self._outward.push(samples)
        self.playout.push(samples)
        if self.playout.waiting > FAR_AHEAD_S * self._ear.rate_hz:
            self._log.remark(
                f"More than {FAR_AHEAD_S:g} s of audio waited at the carrier: a clear has much to throw away, and "
                "nobody knows well what was heard."
            )

    def _clear(self) -> None:
        flushed = self.playout.clear()
        if self._outward is not None:
            self._outward.reset()
        self._ear.cleared(self._loop.time(), dropped=flushed.n_samples, marks=len(flushed.marks))
        dropped_ms = round(1000 * flushed.n_samples / self._ear.rate_hz)
        self._log.note("clear", dropped_ms=dropped_ms, marks=len(flushed.marks))
        self._send(self._dialect.cleared(flushed.marks))

    def _reached(self, mark: str) -> None:
        self._log.note("mark reached", name=mark)
        if not self.ended.done():
            self._send(self._dialect.reached(mark))

    def _waiting_ms(self) -> int:
        return round(1000 * self.playout.waiting / self._ear.rate_hz)

    def _finish(self, end: StreamEnd) -> None:
        if not self.ended.done():
            self._log.note("stream ended", by=end.by, how=end.how, error=end.error)
            self.ended.set_result(end)

    def _send(self, messages: Sequence[Message]) -> None:
        for message in messages:
            send_message(self._socket, message)

    async def _wait_gone(self, seconds: float) -> None:
        if seconds > 0 and not self._gone.is_set():
            try:
                async with asyncio.timeout(seconds):
                    await self._gone.wait()
            except TimeoutError:
                return


def _between(from_hz: int, to_hz: int) -> Resampler | None:
    return None if from_hz == to_hz else Resampler(from_hz, to_hz)
