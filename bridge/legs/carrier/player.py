"""The agent's audio on its way to the carrier: out at once while little is ahead of the caller's ear, else paced.

Carriers buffer, so nothing is gained by sending each frame at its instant, and much is lost by sending all at once:
what was heard is known worse, and a clear has more to drop. So audio goes out the moment it is in the lane until
``ahead_ms`` are ahead of the ear, and then against absolute deadlines (reference telephony 0.5). A clear goes to the
carrier always, whatever we believe it still has (0.3). Nothing here waits for the carrier.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.audio.pacer import EARLY_S
from bridge.errors import LocalWireError
from bridge.legs.carrier.catch_up import CatchUp
from bridge.legs.carrier.codec import Encode
from bridge.legs.carrier.cut import Cut, Cuts
from bridge.legs.carrier.draining import drained
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.heard import HeardText
from bridge.legs.carrier.marks import Marks
from bridge.legs.carrier.quiet import QuietWatch
from bridge.legs.carrier.tape import Tape
from bridge.legs.media_socket import MediaSocket, send_message
from bridge.legs.recorder import Recorder
from bridge.wire.carriers.base import CarrierWire
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16

MARK_S: Final = 0.4
"""At least so often a mark is asked for while the agent speaks."""
UNDERRUN_S: Final = 0.02
"""A hole inside an utterance longer than this is heard; below, carriers smooth it out."""
PAUSE_S: Final = 1.0
"""A longer one is a pause, though the agent did not say so."""
MAX_WAITING_BYTES: Final = 64 * 1024
"""So much may wait in our socket before audio waits in the lane: the carrier's clear comes behind it."""
FULL_RETRY_S: Final = 0.1


class Player:
    """Plays one lane to one carrier.

    Args:
        wire: makes the carrier's messages.
        socket: takes them.
        encode: makes what the carrier plays, in frames of its own length.
        lane: the agent's audio, at the carrier's rate.
        marks: of the call.
        figures: counts.
        whole_frames: the last frame of an utterance is padded with zeros.
        on_broken: called when audio cannot be sent, a bug of ours: it would end in the hands of the agent's leg.
        recorder: records what is sent.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a stream is made of
        self,
        wire: CarrierWire,
        socket: MediaSocket,
        encode: Encode,
        lane: Lane,
        marks: Marks,
        figures: CarrierFigures,
        *,
        whole_frames: bool,
        on_broken: Callable[[Exception], None],
        recorder: Recorder | None = None,
    ) -> None:
        traits = wire.traits
        self.lane = lane
        self.ledger = lane.ledger
        self.ledger.clearable = traits.clears
        self.heard = HeardText(lane)
        self.first_sent_s: float | None = None
        self.utterance_s: float | None = None
        """When what the agent says now began to be played, loop time; None before it speaks and after a clear."""
        self._message = wire.audio
        self._wire = wire
        self._socket = socket
        self._encode = encode
        self._marks = marks
        self._figures = figures
        self._tape = None if recorder is None else Tape(recorder, lane.ledger)
        self._whole = whole_frames
        self._on_broken = on_broken
        self._frame = lane.rate_hz * traits.frame_ms // 1000
        self._frame_s = self._frame / lane.rate_hz
        self._lead_s = max(traits.ahead_ms / 1000, self._frame_s) - self._frame_s
        self._mark_every = int(MARK_S * lane.rate_hz)
        self._mark_due = self._mark_every - self._frame  # with the next frame
        self._unmarked = 0
        self._catch_up = CatchUp(lane.rate_hz, figures)
        self._cuts = Cuts(lane, self.heard, clears=traits.clears)
        self._speaking = False
        """An utterance has begun and the agent has not ended it."""
        self._flowing = True
        self._due_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._pacing: asyncio.TimerHandle | None = None
        self._quiet = QuietWatch(self.ledger, self._frame_s, self._is_sending, self._paused)

    def ready(self) -> None:
        """There is more audio in the lane, or an utterance ended."""
        self._quiet.pushed_s = now_s = self._loop.time()
        if self.heard.awaiting:
            self.heard.began(now_s)
        if self._pacing is None and self._flowing:
            self._send(now_s)

    def take(self, frame: Int16) -> bool:
        """A whole frame came in the middle of an utterance, and none is waiting: sent at once, in short.

        False has done nothing: the frame goes into the lane, and what is unusual about it is for `ready` to see to.
        """
        size, until_s, quiet = self._frame, self.ledger.playing_until_s, self._quiet
        if (
            len(frame) != size
            or until_s is None
            or not self._speaking
            or not quiet.watching
            or not self._flowing
            or self.heard.awaiting
            or self.utterance_s is None
            or self._pacing is not None
            or self._tape is not None
            or self._catch_up.behind
            or self._unmarked >= self._mark_due  # and a look at the socket's buffer
        ):
            return False
        now_s = self._loop.time()
        if not -UNDERRUN_S <= until_s - now_s <= self._lead_s + EARLY_S:
            return False
        quiet.pushed_s = now_s
        try:
            message = self._message(self._encode(frame))
            if type(message) is str:
                self._socket.send_text(message)
            else:
                send_message(self._socket, message)
        except (LocalWireError, CodecError) as exc:
            self.stop()
            self._on_broken(exc)
            return True
        self.ledger.sent(size, now_s)
        self._figures.frames_out += 1
        self._unmarked += size
        return True

    def flow(self, *, is_open: bool) -> None:
        """The carrier's buffer is full, or has room again."""
        self._flowing = is_open
        if not is_open:
            self._stop_pacing()
        elif self._pacing is None:
            self._send(self._loop.time())

    def clear(self, now_s: float) -> Cut:
        """Tell the carrier to drop what it has; the lane is empty already, and the ledger is settled after."""
        self._stop_pacing()
        clears = self._wire.traits.clears
        for message in self._wire.clear():
            send_message(self._socket, message)
        unplayed = self.ledger.heard(now_s).ahead if clears else 0
        if clears:
            self._marks.cleared()
            self.forget_unplayed(now_s)
            self._unmarked = 0
        self._speaking = False
        self.utterance_s = None
        self._catch_up.behind = 0
        return self._cuts.take(unplayed, now_s)

    def forget_unplayed(self, now_s: float) -> None:
        """What the carrier has not played will not be played: the recording shall not have it."""
        if self._tape is not None:
            self._tape.cleared(now_s)

    async def drain(self) -> None:
        """Return when the caller has heard everything; never later than what is there takes, and 2 s."""
        await drained(self.lane, self._marks, self._frame_s, self._pause)

    def stop(self) -> None:
        """Send nothing more."""
        self.lane.on_ready = self.lane.on_frame = None
        self._stop_pacing()
        self._quiet.stop()

    # Sending

    def _send(self, now_s: float) -> None:
        """Send what may be sent now, and come back when the next frame may."""
        try:
            self._send_frames(now_s)
        except (LocalWireError, CodecError) as exc:
            self.stop()
            self._on_broken(exc)

    def _send_frames(self, now_s: float) -> None:
        lane, ledger = self.lane, self.ledger
        while True:
            until_s = ledger.playing_until_s
            if until_s is not None and until_s - self._lead_s > now_s + EARLY_S:
                if not lane.depth_samples:
                    break
                self._catch_up.waits(until_s - now_s, self._lead_s)
                self._later(until_s - self._lead_s)
                return
            if self._socket.buffered_bytes > MAX_WAITING_BYTES:
                self._later(now_s + FULL_RETRY_S)
                return
            frame = lane.pull(self._frame)
            if self._catch_up.behind:
                frame = self._after_pause(frame, 0.0 if until_s is None else until_s - now_s)
            if not frame.size:
                break
            self._send_frame(frame, until_s, now_s)
        self._ran_dry()

    def _after_pause(self, frame: Int16, ahead_s: float) -> Int16:
        """The frame to be sent now, because the carrier is behind: this one, or the next that is no silence."""
        n_left_out = 0
        while frame.size and self._catch_up.behind and self._catch_up.leaves_out(frame):
            n_left_out += frame.size
            frame = self.lane.pull(self._frame)
        if n_left_out:
            self.heard.left_out(n_left_out)
            if self.lane.on_left_out is not None:
                self.lane.on_left_out(n_left_out)
        if not frame.size:
            self._catch_up.ran_dry(ahead_s)
        return frame

    def _send_frame(self, frame: Int16, until_s: float | None, now_s: float) -> None:
        if until_s is None or now_s - until_s > UNDERRUN_S or self.utterance_s is None:
            self._begin_anew(until_s, now_s)
        self._speaking = True
        self._play(frame, now_s)

    def _play(self, frame: Int16, now_s: float) -> None:
        n_samples = len(frame)
        if n_samples < self._frame and self._whole:
            frame = np.pad(frame, (0, self._frame - n_samples))
            n_samples = self._frame
        message = self._message(self._encode(frame))
        if type(message) is str:
            self._socket.send_text(message)
        else:
            send_message(self._socket, message)
        if self._tape is None:
            self.ledger.sent(n_samples, now_s)
        else:
            self._tape.sent(frame, now_s)
        self._figures.frames_out += 1
        self._unmarked += n_samples
        if self._unmarked >= self._mark_every:
            self._mark()

    def _begin_anew(self, until_s: float | None, now_s: float) -> None:
        """The carrier has nothing to play: the first audio, a new utterance, or a hole in one."""
        if self.first_sent_s is None:
            self.first_sent_s = now_s
        if self._speaking and until_s is not None and now_s - until_s < PAUSE_S:
            self._figures.underruns += 1
            self._figures.underrun_ms += 1000 * (now_s - until_s)
        else:
            self.utterance_s = now_s if until_s is None else max(now_s, until_s)

    def _mark(self) -> None:
        self._unmarked = 0
        self._marks.ask(self.ledger)

    def _later(self, due_s: float) -> None:
        self._due_s = due_s
        self._pacing = self._loop.call_at(due_s, self._is_due)

    def _is_due(self) -> None:
        self._pacing = None
        now_s = self._loop.time()
        if self._figures.lateness is not None:
            self._figures.lateness.observe(max(0.0, now_s - self._due_s))
        self._send(now_s)

    def _stop_pacing(self) -> None:
        if self._pacing is not None:
            self._pacing.cancel()
            self._pacing = None

    # Pauses

    def _ran_dry(self) -> None:
        """No whole frame is left, and nothing says how long the pause will be, unless the agent ended its utterance."""
        if not self.lane.segment_open:
            self._pause()
        else:
            self._quiet.start()

    def _is_sending(self) -> bool:
        """Whether there is audio on its way, or none is wanted: the lane runs dry again."""
        return self._pacing is not None or not self._flowing

    def _paused(self) -> None:
        speaking = self._speaking
        self.lane.end_segment()
        self._speaking = speaking  # the agent has not said that it is done

    def _pause(self) -> None:
        """The utterance is over: what was sent of it is to be proved played."""
        self._speaking = False
        self.heard.expect()
        if self._unmarked:
            self._mark()
