"""One agent's time with a caller: what begins with a relay and ends with it, while the phone call may go on."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bridge.legs.base import Ended, LegEvent, Port
from bridge.legs.carrier.dtmf import QUICK_S
from bridge.legs.carrier.figures import CarrierFigures, Interruption
from bridge.legs.carrier.heard import LONGEST_SHOWN
from bridge.legs.carrier.onset import RECENT_S
from bridge.legs.carrier.player import Player
from bridge.legs.carrier.stream import CarrierStream
from bridge.legs.recorder import Recorder

INTERRUPTIONS_KEPT: Final = 500
KEY_RECENT_S: Final = QUICK_S + RECENT_S
"""A key that was pressed longer ago is not what interrupted, s: the agent is told when no other follows."""


class Serving:
    """Joins a carrier's stream to the port of a relay.

    Args:
        stream: the carrier's.
        port: the relay's.
        player: plays the port's incoming lane.
        figures: counts.

    Attributes:
        live: the relay runs; afterwards nothing is told to it any more.
        ended: how the leg ended.
    """

    def __init__(
        self, stream: CarrierStream, port: Port, player: Player, figures: CarrierFigures
    ) -> None:
        self.live = True
        self.player = player
        self._stream = stream
        self._port = port
        self._figures = figures
        self._explained = True
        """Whether nothing more is to be told of the last interruption."""
        self._dropped = self._overflows = 0
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[Ended] = self._loop.create_future()

    def begin(self, recorder: Recorder | None) -> None:
        """Let audio through, both ways."""
        self._port.incoming.on_ready = self.player.ready
        self._port.incoming.on_frame = self.player.take
        self._stream.intake.recorder = recorder
        self._stream.intake.open(self._port.outgoing)

    def end(self, ended: Ended) -> None:
        """The leg is over: nothing more is sent."""
        self.player.stop()
        if not self.ended.done():
            self.ended.set_result(ended)

    def finish(self, *, carrier_gone: bool) -> None:
        """The relay is over; what the carrier holds is still heard, unless it is gone."""
        now_s = self._loop.time()
        self.player.stop()
        self._stream.intake.shut()
        if carrier_gone:
            self.player.forget_unplayed(now_s)
            self.player.ledger.lose(now_s)
        self.count()
        self.live = False

    def emit(self, event: LegEvent) -> None:
        """Tell the agent, if it is still there."""
        if self.live:
            self._port.emit(event)

    def clear(self, heard_s: float, pressed_s: float | None) -> None:
        """The agent was cut off: silence the carrier, then note what was heard.

        Args:
            heard_s: when the caller's last audio came.
            pressed_s: when the caller last pressed a key that the agent is told of.
        """
        now_s, figures = self._loop.time(), self._figures
        self._explained = True
        began_s = self.player.utterance_s
        cut = self.player.clear(now_s)
        figures.clears += 1
        if figures.clear_latency is not None:
            figures.clear_latency.observe(self._loop.time() - now_s)
        if not cut.unheard_ms or len(figures.interruptions) >= INTERRUPTIONS_KEPT:
            return
        onset_s = None
        if began_s is not None:
            onset_s = self._stream.intake.recent.onset_s(heard_s, began_s, now_s)
            if onset_s is None and pressed_s is not None and now_s - pressed_s <= KEY_RECENT_S:
                onset_s = max(pressed_s, began_s)
        overrun_ms = None if onset_s is None else max(0.0, 1000 * (cut.silent_s - onset_s))
        at_s = now_s - self._stream.started_s
        figures.interruptions.append(
            Interruption(at_s, cut.heard_text, cut.unheard_text, cut.unheard_ms, overrun_ms)
        )
        self._explained = False

    def explain(self, said: object) -> None:
        """The agent's side tells what it meant to say where it was cut off just now, in an `agent_interrupted` event.

        It shows no word before it is spoken, so nothing else says what was still to come.
        """
        explained, self._explained = self._explained, True
        if explained or not isinstance(said, Mapping):
            return
        heard, unheard = said.get("heardText"), said.get("unheardText")
        if not (isinstance(heard, str) and isinstance(unheard, str)):
            return
        last = self._figures.interruptions[-1]
        whole = (heard + unheard).strip()
        if whole.startswith(last.heard_text):
            rest = whole[len(last.heard_text) :].strip()[:LONGEST_SHOWN]
            self._figures.interruptions[-1] = replace(last, unheard_text=rest)

    def count(self) -> None:
        """Take over what lanes and player count by themselves."""
        if not self.live:
            return
        uplink, figures = self._port.outgoing, self._figures
        dropped, overflows = uplink.stats.dropped, self._port.incoming.stats.overflows
        figures.caller_audio_lost_ms += 1000 * (dropped - self._dropped) / uplink.rate_hz
        figures.overruns += overflows - self._overflows
        self._dropped, self._overflows = dropped, overflows
        if figures.first_agent_audio_s is None and self.player.first_sent_s is not None:
            figures.first_agent_audio_s = self.player.first_sent_s - self._stream.started_s
