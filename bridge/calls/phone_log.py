"""The line in the log about a phone call that has ended: one line of JSON, every figure and nothing personal.

Here for the calls whose medium is a carrier; the gateway writes the same of those that come to its own addresses.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bridge.calls.records import CallRecord
from bridge.calls.settings import PhoneMedium
from bridge.log import Redacted

MARKER: Final = "= phone call ended"
"""What the line begins with; the JSON stands behind it."""


def phone_line(
    record: CallRecord, medium: PhoneMedium, figures: Mapping[str, object] | None
) -> str:
    """A call that has ended.

    Args:
        record: of the call.
        medium: its own.
        figures: what was counted at the carrier's media socket (`CallerSide.figures`); None if there was none.
    """
    context, dial = record.request_context, medium.outgoing
    line: dict[str, object] = {
        "id": record.call_id,
        "carrier": medium.carrier,
        "direction": "inbound" if dial is None else "outbound",
        "from": _hidden(context.get("from") or (dial and dial.from_)),
        "to": _hidden(context.get("to") or (dial and dial.to)),
        "carrierCallId": _hidden(context.get("phoneCallId") or record.phone_call_id),
        "aiCallId": record.call_id,
        "endReason": record.end_reason,
        "stages": _stages(record),
        **_counted(figures or {}),
    }
    return json.dumps(line, ensure_ascii=True, separators=(",", ":"))


def _hidden(text: object) -> str:
    return str(Redacted(str(text))) if text else ""


def _stages(record: CallRecord) -> dict[str, float]:
    """When each was reached, s since the call was made."""
    reached: dict[str, datetime | None] = {
        "created": record.created,
        "joined": record.joined,
        "ended": record.ended,
    }
    return {
        stage: round((at - record.created).total_seconds(), 3)
        for stage, at in reached.items()
        if at is not None
    }


def _counted(figures: Mapping[str, object]) -> dict[str, object]:
    """The figures, with a number and the worst of the interruptions in place of what was said at each."""
    cuts = figures.get("interruptions")
    if not isinstance(cuts, list):
        return dict(figures)
    overruns = [cut["overrunMs"] for cut in cuts if cut["overrunMs"] is not None]
    worst = max(overruns, default=None)
    return {**figures, "interruptions": len(cuts), "worstOverrunMs": worst}
