"""One call on one time axis, as one HTML page that needs nothing but itself.

The page's parts stand in `bridge/assets/timeline`; here its data are made. Whatever a peer said goes
into the page as JSON in a block that no browser runs, and from there as text, never as markup. The
page's policy allows no address but its own and no script but the one it came with.
"""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

import numpy as np

from bridge.batch.figures import Figures, Turn
from bridge.legs.wav_writer import wav_header
from bridge_codecs.pcm import Int16

if TYPE_CHECKING:
    from bridge.batch.result import CallResult, ToolCall, Transcript

_ASSETS: Final = Path(__file__).parents[1] / "assets" / "timeline"
_WAV_BESIDE: Final = "call.wav"
MAX_AUDIO_BYTES: Final = 3 * 1024 * 1024
"""A longer call's audio is taken from call.wav beside the page."""
MAX_BUCKETS: Final = 200_000
FINEST_BUCKET_MS: Final = 5
SHOWN_JSON_CHARACTERS: Final = 2_000


def render_timeline(result: "CallResult") -> str:
    """The page, as text. The same result gives the same page."""
    style, script = _asset("style.css"), _asset("script.js")
    policy = (
        "default-src 'none'; img-src data:; media-src data: 'self' file:; "
        f"style-src {_source(style)}; script-src {_source(script)}; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "__POLICY__": policy,
        "__TITLE__": html.escape(_title(result)),
        "__STYLE__": style,
        "__SCRIPT__": script,
        "__DATA__": _script_safe(timeline_data(result)),
    }
    # In one pass, so that nothing inside a part is taken for the name of another.
    return re.sub("__[A-Z]+__", lambda found: parts[found[0]], _asset("page.html"))


def timeline_data(result: "CallResult") -> dict[str, object]:
    """What the page's script draws: plain JSON values."""
    figures = result.figures.as_dict()
    return {
        "subtitle": _subtitle(result),
        "facts": _facts(result),
        "notes": list(result.notes),
        "duration_s": figures["duration_s"],
        "turns": figures["turns"],
        "interruptions": figures["interruptions"],
        "states": [{"at_s": round(s.at_s, 3), "state": s.state} for s in result.states],
        "transcripts": _lines(result.transcripts, result.figures.turns),
        "inputs": [
            {
                "name": item.name,
                "start_s": round(item.start_s, 3),
                "duration_s": round(item.duration_s, 3),
            }
            for item in (result.inputs if len(result.inputs) > 1 else ())
        ],
        "cuts": [{"at_s": round(cut.at_s, 3)} for cut in result.cuts],
        "tools": [_tool(call) for call in result.tool_calls],
        "peaks": _peaks(result.caller, result.agent, result.rate_hz),
        "audio": _audio(result.caller, result.agent, result.rate_hz),
    }


def peaks_of(samples: Int16, n_per_bucket: int) -> bytes:
    """Lowest and highest sample of each bucket as pairs of int8."""
    n_buckets = -(-samples.size // n_per_bucket)
    padded = np.zeros(n_buckets * n_per_bucket, np.int16)
    padded[: samples.size] = samples
    buckets = padded.reshape(n_buckets, n_per_bucket)
    pairs = np.stack([buckets.min(axis=1), buckets.max(axis=1)], axis=1)
    return (pairs >> 8).astype(np.int8).tobytes()


def _peaks(caller: Int16, agent: Int16, rate_hz: int) -> dict[str, object]:
    n_samples = max(caller.size, agent.size)
    n_per_bucket = max(rate_hz * FINEST_BUCKET_MS // 1000, -(-n_samples // MAX_BUCKETS), 1)
    return {
        "bucket_s": n_per_bucket / rate_hz,
        "caller": _base64(peaks_of(caller, n_per_bucket)),
        "agent": _base64(peaks_of(agent, n_per_bucket)),
    }


def _lines(said: Sequence["Transcript"], turns: Sequence[Turn]) -> list[dict[str, object]]:
    """The utterances. What the caller said is known only when it is over: it goes where it was heard.

    That is the last turn in the recording that ended before its words came, once for each turn.
    """
    lines = []
    left = list(turns)
    for line in said:
        start_s, end_s = line.start_s, line.end_s
        if line.role == "user" and line.medium == "voice":
            over = [turn for turn in left if turn.caller_end_s <= end_s]
            if over:
                start_s, end_s = over[-1].caller_start_s, over[-1].caller_end_s
                left = left[len(over) :]
        lines.append(
            {
                "role": line.role,
                "text": line.text,
                "unheard_text": line.unheard_text,
                "start_s": round(start_s, 3),
                "end_s": round(end_s, 3),
            }
        )
    return lines


def _audio(caller: Int16, agent: Int16, rate_hz: int) -> str:
    """The address of the call's audio: a data address where it is short, else the file beside."""
    if 4 * caller.size * 4 // 3 > MAX_AUDIO_BYTES:
        return _WAV_BESIDE
    payload = np.column_stack((caller, agent)).astype("<i2").tobytes()
    return "data:audio/wav;base64," + _base64(wav_header(rate_hz, 2, len(payload)) + payload)


def _title(result: "CallResult") -> str:
    names = list(dict.fromkeys(Path(item.name).stem for item in result.inputs))
    return f"Call: {', '.join(names)}" if names else "Call"


def _subtitle(result: "CallResult") -> str:
    parts = [
        f"ended: {result.end_reason}" + (f" ({result.end_detail})" if result.end_detail else ""),
        "virtual time" if result.virtual else "real time",
        f"{result.rate_hz:,} Hz",
        result.call_id,
    ]
    return " · ".join(part for part in parts if part)


def _facts(result: "CallResult") -> list[tuple[str, str, str, bool]]:
    """Name, value, unit and whether it is bad, for the head of the page."""
    figures = result.figures
    minutes, seconds = divmod(figures.duration_s, 60)
    return [
        ("duration", f"{minutes:.0f}:{seconds:04.1f}", "", False),
        ("turns of the caller", str(len(figures.turns)), "", False),
        *_latency_facts(figures),
        *_interruption_facts(figures),
        _underrun_fact(figures),
    ]


def _latency_facts(figures: Figures) -> list[tuple[str, str, str, bool]]:
    latencies = figures.latencies_ms
    if not latencies:
        return []
    return [
        ("response, median", f"{median(latencies):.0f}", "ms", False),
        ("response, slowest", f"{max(latencies):.0f}", "ms", False),
    ]


def _interruption_facts(figures: Figures) -> list[tuple[str, str, str, bool]]:
    cuts = figures.interruptions
    facts = [("interruptions", str(len(cuts)), "", False)]
    if cuts:
        longest_ms = max(cut.overrun_ms for cut in cuts)
        facts.append(("longest overrun", f"{longest_ms:.0f}", "ms", False))
    return facts


def _underrun_fact(figures: Figures) -> tuple[str, str, str, bool]:
    unit = f"{figures.underrun_ms:.0f} ms together" if figures.underruns else ""
    return ("underruns", str(figures.underruns), unit, bool(figures.underruns))


def _tool(call: "ToolCall") -> dict[str, object]:
    return {
        "at_s": round(call.at_s, 3),
        "done_s": None if call.done_s is None else round(call.done_s, 3),
        "name": call.name,
        "arguments": _compact(call.arguments),
        "result": None if call.result is None else call.result[:SHOWN_JSON_CHARACTERS],
        "error": None if call.error is None else call.error[:SHOWN_JSON_CHARACTERS],
    }


def _compact(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False)[:SHOWN_JSON_CHARACTERS] if value else ""


def _script_safe(value: Mapping[str, object]) -> str:
    """JSON that ends no script block, opens no comment and no tag, whatever is in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _source(content: str) -> str:
    """The policy's name for exactly this inline content."""
    return "'sha256-" + _base64(hashlib.sha256(content.encode()).digest()) + "'"


def _base64(payload: bytes) -> str:
    return base64.b64encode(payload).decode("ascii")


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
