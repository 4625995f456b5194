"""What is written about a call that was recorded: the same call.json and timeline.html as `tipring call` writes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.batch.aftermath import Aftermath
from bridge.batch.call_log import unheard_texts
from bridge.batch.result import CallResult, Cut, ToolCall
from bridge.batch.result import Transcript as KeptTranscript
from bridge.client import ApiError, CallApi
from bridge.legs.base import Ended
from bridge.legs.file import Underruns
from bridge.talk.events import ToolRun, Transcript
from bridge.talk.recording import Recording
from bridge.talk.witness import Witness
from bridge.virtual import VirtualLoop
from bridge_codecs.pcm import silence

ASK_S: Final = 8.0
"""How long the API may take to tell of the call when it is over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A call that is over, as its caller's side saw it."""

    ended: Ended
    witness: Witness
    tools: Sequence[ToolRun]
    underruns: Underruns


async def close_recording(recording: Recording, outcome: Outcome, api: CallApi | None) -> Ended:
    """Complete the files; how the call ended, as its API tells where it does.

    What cannot be written or asked for is noted; nothing is raised for it.
    """
    witness = outcome.witness
    seen = Aftermath()
    if api is not None and witness.call_id:
        try:
            async with asyncio.timeout(ASK_S):
                seen = await Aftermath.of(api, witness.call_id)
        except TimeoutError:
            witness.note("messages and events of the call are missing: the API took too long")
        except Exception as exc:  # noqa: BLE001 - whatever another's API does, what was recorded here is kept
            why = str(exc) if isinstance(exc, ApiError) else type(exc).__name__
            witness.note(f"messages and events of the call are missing: {why}")
    for ordinal, text in unheard_texts(seen.events).items():
        witness.transcripts.cut_off(ordinal, text)
    await recording.finish(_result(recording, outcome, seen))
    return outcome.ended


def _result(recording: Recording, outcome: Outcome, seen: Aftermath) -> CallResult:
    witness = outcome.witness
    transcripts = witness.transcripts.all()
    said = {each.ordinal: each for each in transcripts}
    return CallResult(
        call_id=witness.call_id,
        rate_hz=recording.rate_hz,
        caller=silence(0),
        agent=silence(0),
        end_reason=seen.end_reason or outcome.ended.reason,
        end_detail=outcome.ended.detail,
        virtual=isinstance(asyncio.get_running_loop(), VirtualLoop),
        settings=seen.settings,
        messages=seen.messages,
        events=seen.events,
        tool_calls=[_tool(run) for run in outcome.tools],
        states=witness.states,
        transcripts=[_transcript(each) for each in transcripts],
        cuts=[
            Cut(at_s, said[ordinal].text, said[ordinal].unheard)
            for ordinal, at_s in witness.transcripts.cuts.items()
            if ordinal in said
        ],
        underruns=outcome.underruns.count,
        underrun_ms=outcome.underruns.total_ms,
        notes=list(witness.notes),
    )


def _tool(run: ToolRun) -> ToolCall:
    return ToolCall(
        at_s=run.asked_s,
        name=run.name,
        invocation_id=run.invocation_id,
        arguments=run.arguments,
        result=run.result,
        error=run.error,
        done_s=run.done_s,
    )


def _transcript(each: Transcript) -> KeptTranscript:
    return KeptTranscript(
        role=each.role,
        text=each.text,
        start_s=each.start_s,
        end_s=each.end_s,
        ordinal=each.ordinal,
        medium=each.medium,
        unheard_text=each.unheard,
    )
