"""One call while it lasts: two legs, the log, the tape; and its result when it is over."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.batch.aftermath import Aftermath
from bridge.batch.call_log import CallLog, unheard_texts
from bridge.batch.caller import Caller, CallerTurn
from bridge.batch.plan import CallPlan, CallProgress, OnProgress
from bridge.batch.result import CallResult, InputPlayed
from bridge.batch.tape import CallTape
from bridge.client import ApiError, CallApi, JsonDict
from bridge.legs.base import Leg, MessageEvent
from bridge.legs.file import FileLeg
from bridge.legs.join_refusals import without_parts_of
from bridge.relay import CallEnd, Relay
from bridge.wire.messages import ClientToolResult

LONGEST_S: Final = 4 * 3600.0
"""No call lasts longer, whatever the far end does."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The caller's inputs, read, and what was noted about each, by name."""

    turns: tuple[CallerTurn, ...]
    notes: Mapping[str, str]


class FileCall:
    """Plays the inputs into a call and collects what comes back."""

    def __init__(
        self, plan: CallPlan, loaded: Loaded, tools: Mapping[str, str], on_progress: OnProgress
    ) -> None:
        self._plan = plan
        self._loaded = loaded
        self._on_progress = on_progress
        self._errors: list[str] = []
        self._words = ""
        rate_hz = plan.sample_rate_hz
        self._caller = Caller(
            loaded.turns, rate_hz=rate_hz, turn_gap_ms=plan.turn_gap_ms, tail_s=plan.tail_s
        )
        self._tape = CallTape(
            plan.out_dir if plan.record else None,
            rate_hz=rate_hz,
            on_error=self._errors.append,
            on_progress=self._progress,
        )
        self._file = FileLeg(self._caller, self._tape, rate_hz=rate_hz)
        self._tools = tools

    async def run(self, api: CallApi, agent: Leg, created: JsonDict) -> CallResult:
        """Play the call to its end.

        An API that cannot tell of the call when it is over costs its messages and events, and a note.
        """

        def answer(result: ClientToolResult) -> None:
            agent.receive(MessageEvent(result))

        loop = asyncio.get_running_loop()
        started_s = loop.time()
        log = CallLog(lambda: loop.time() - started_s, self._tools, answer, self._heard_words)
        relay = Relay(self._file, agent, watch=log.watch)
        try:
            async with asyncio.timeout(self._plan.max_duration_s or LONGEST_S):
                end: CallEnd | None = await relay.run()
        except TimeoutError:
            end = None
        finally:
            await self._tape.close()
        duration_s = self._tape.duration_s
        self._on_progress(CallProgress(duration_s, duration_s, self._words))
        call_id = str(created.get("callId") or log.call_id)
        seen = await self._aftermath(api, call_id) if "callId" in created else Aftermath()
        result = self._result(call_id, end, log, seen)
        # A far end may close with the join URL in its words.
        detail = without_parts_of(str(created.get("joinUrl", "")), result.end_detail)
        return replace(result, end_detail=detail)

    async def _aftermath(self, api: CallApi, call_id: str) -> Aftermath:
        try:
            return await Aftermath.of(api, call_id)
        except ApiError as exc:
            self._errors.append(f"messages and events of the call are missing: {exc}")
            return Aftermath()

    def _result(
        self, call_id: str, end: CallEnd | None, log: CallLog, seen: Aftermath
    ) -> CallResult:
        caller, agent = self._tape.sides()
        cuts = log.cuts(unheard_texts(seen.events))
        reason = "timeout" if end is None else end.ended.reason
        return CallResult(
            call_id=call_id,
            rate_hz=self._plan.sample_rate_hz,
            caller=caller,
            agent=agent,
            end_reason=seen.end_reason or reason,
            end_detail="" if end is None else end.ended.detail,
            seed=self._plan.seed,
            virtual=self._plan.virtual,
            settings=seen.settings,
            inputs=self._inputs(),
            messages=seen.messages,
            events=seen.events,
            tool_calls=log.tool_calls,
            states=log.states,
            transcripts=log.transcripts,
            cuts=cuts,
            underruns=self._file.underruns.count,
            underrun_ms=self._file.underruns.total_ms,
            notes=self._notes(log, heard=bool(agent.any())),
        )

    def _inputs(self) -> list[InputPlayed]:
        rate_hz = self._plan.sample_rate_hz
        return [
            InputPlayed(
                started.turn.name,
                started.at / rate_hz,
                started.turn.samples.size / rate_hz,
                self._loaded.notes.get(started.turn.name, ""),
            )
            for started in self._caller.started
        ]

    def _notes(self, log: CallLog, *, heard: bool) -> Sequence[str]:
        unplayed = [turn.name for turn in self._caller.unplayed]
        notes = [*self._errors, *log.warnings]
        if unplayed:
            notes.append(f"never played, the agent gave them no turn: {', '.join(unplayed)}")
        if not log.states and not log.transcripts and not heard:
            notes.append("the agent's side never said anything")
        return notes

    def _heard_words(self, words: str) -> None:
        self._words = words
        self._progress(self._tape.duration_s)

    def _progress(self, at_s: float) -> None:
        self._on_progress(CallProgress(at_s, at_s + self._caller.expected_left_s, self._words))
