"""What speech costs, and how well the embedded ear hears.

    python benchmarks/speech.py [--seconds 130] [--json]

*Voice*: ms for one sentence; cold is a new voice with a new helper process, cached is a text spoken lately.
*Voice activity*: ms for a chunk of 32 ms, MB for one more instance, and whether other threads run while it works or
wait for Python's lock (plain Python and hashing a large block show that the measurement can tell).
*Ear*: ms for one turn, MB of a helper process (its share of what it shares) with and without free dictation.
*Recognition*: four callers say the receptionist's phrases over a telephone, clean and with babble 10 dB below, each
where the receptionist listens for it. Right is what leads where the phrase leads, wrong what leads elsewhere. Phrases
outside the grammar are said there too; the share that is taken for one of the grammar's is the false accept rate.
The pairs are drawn in random order (fixed seed) until `--seconds` are over: the table says how many there were.
"""

import argparse
import asyncio
import hashlib
import itertools
import json
import os
import random
import statistics
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.make_recordings import (
    CALLER,
    LEAD_S,
    RATE_HZ,
    SEED,
    TAIL_S,
    TURNS,
    Float,
    babble,
    levelled,
    on_the_line,
    pause,
    spoken,
)
from bridge.brains.base import HEAR_HZ
from bridge.brains.registry import shipped_script
from bridge.brains.script.compile import compile_script
from bridge.brains.script.program import WaitNode
from bridge.brains.speech.espeak import EspeakOptions, EspeakVoice
from bridge.brains.speech.pocketsphinx_ear import MAX_HELPERS, PocketsphinxEar
from bridge.brains.speech.vad import CHUNK_SAMPLES, EnergyDetector, SileroPool
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

CALLERS = {
    "f4, American": CALLER,
    "m3, American": EspeakOptions(voice="en-us+m3", words_per_minute=150, pitch=45),
    "m7, American": EspeakOptions(voice="en-us+m7", words_per_minute=160, pitch=40),
    "f2, British": EspeakOptions(voice="en-gb-x-rp+f2", words_per_minute=150, pitch=55),
}
OUTSIDE = (
    "where can I park my car",
    "could you tell me a joke about elephants",
    "I have a terrible headache",
    "my name is Peter Miller",
    "is this the pizza service",
    "can I speak to the manager",
    "hold on a second",
    "it is raining here today",
)
OUTSIDE_WAITS = ("book an appointment please", "on monday please", "that is all")
LINES = ("clean", "babble 10 dB")
SENTENCE = "Certainly. We see patients from Monday to Friday. Which day would suit you?"
BABBLE_S = 20.0

# The ear without free dictation, which would take a second for each rejected turn and says nothing about the grammar.
NO_DICTATION = """
from bridge.brains.speech import pocketsphinx_helper as program
program._Ear.load_dictation = lambda ear: None
program._Ear.dictate = lambda ear, audio: ""
program.main()
"""


def ms(work: Callable[[], object], n: int) -> float:
    """Median of n runs."""
    took: list[float] = []
    for _ in range(n):
        started_s = time.perf_counter()
        work()
        took.append(1000 * (time.perf_counter() - started_s))
    return round(statistics.median(took), 4)


async def ms_of(work: Callable[[], Awaitable[object]]) -> float:
    """One run."""
    started_s = time.perf_counter()
    await work()
    return round(1000 * (time.perf_counter() - started_s), 3)


def resident_mb() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def children_mb() -> float:
    """Memory of the child processes, each shared page by its share."""
    pids = {
        pid
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
    }
    kb = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        kb += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return round(kb / 1000, 1)


# --- voice -------------------------------------------------------------------------------------


async def voice_figures() -> dict[str, float]:
    voice = EspeakVoice()
    try:
        cold = await ms_of(lambda: voice.say(SENTENCE))
        utterance = await voice.say(SENTENCE)
        warm = [await ms_of(lambda n=n: voice.say(f"{SENTENCE}{' ' * n}")) for n in range(1, 21)]  # type: ignore[misc]
        cached = [await ms_of(lambda: voice.say(SENTENCE)) for _ in range(100)]
        memory_mb = children_mb()
    finally:
        await voice.close()
    return {
        "speech_s": round(utterance.samples.size / voice.rate_hz, 2),
        "cold_ms": round(cold, 1),
        "warm_ms": round(statistics.median(warm), 1),
        "cached_ms": round(statistics.median(cached), 4),
        "helper_mb": memory_mb,
    }


# --- voice activity ----------------------------------------------------------------------------


def lets_others_run(work: Callable[[], object], seconds: float = 1.0) -> bool:
    """Whether this work lets Python's lock go: with switching off, nothing else lets another thread run."""
    ran: list[bool] = []
    start = threading.Lock()
    start.acquire()

    def wait() -> None:
        start.acquire()
        ran.append(True)

    other = threading.Thread(target=wait)
    other.start()
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1_000)
    try:
        ends_at_s = time.perf_counter() + seconds
        start.release()
        while time.perf_counter() < ends_at_s:
            work()
        it_ran = bool(ran)
    finally:
        sys.setswitchinterval(interval_s)
    other.join()
    return it_ran


def vad_figures() -> dict[str, float]:
    noise = np.random.default_rng(1).normal(0, 3_000, 100 * CHUNK_SAMPLES).astype(np.int16)
    pool, energy = SileroPool(), EnergyDetector()
    detector = pool.lend()
    detector.probabilities(noise)
    before_mb = resident_mb()
    held = [pool.lend() for _ in range(20)]
    for other in held:
        other.probabilities(noise[:CHUNK_SAMPLES])
    instance_mb = (resident_mb() - before_mb) / len(held)
    silero_ms = ms(lambda: detector.probabilities(noise), 10) / 100
    energy_ms = ms(lambda: energy.probabilities(noise), 10) / 100
    block = bytes(1 << 24)
    model = pool._make()  # alone: numpy, which prepares its samples, lets others run
    chunk = (noise[:CHUNK_SAMPLES] / 32_768).tolist()
    return {
        "silero_ms_per_chunk": round(silero_ms, 4),
        "energy_ms_per_chunk": round(energy_ms, 4),
        "silero_mb_per_instance": round(instance_mb, 2),
        "silero_lets_others_run": lets_others_run(lambda: model.process_samples(chunk)),
        "python_lets_others_run": lets_others_run(lambda: sum(range(10_000))),
        "sha256_lets_others_run": lets_others_run(lambda: hashlib.sha256(block)),
    }


# --- ear ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """Something said where the receptionist listens for `wait`."""

    caller: str
    line: str
    text: str
    wait: WaitNode

    def judge(self, phrase: str | None) -> str:
        """What hearing this phrase comes to."""
        if self.text not in self.wait.answers:
            return "rejected" if phrase is None else "accepted"
        if phrase is None:
            return "rejected"
        right = self.wait.answers[phrase] == self.wait.answers[self.text]
        return "right" if right else "wrong"


def receptionist() -> list[WaitNode]:
    nodes = compile_script(shipped_script("receptionist")).nodes
    waits = [node for node in nodes if isinstance(node, WaitNode)]
    return list({tuple(wait.answers): wait for wait in waits}.values())


def turns() -> tuple[list[Turn], list[Turn]]:
    """Inside and outside the grammar, each in random order."""
    waits = receptionist()
    everywhere = list(itertools.product(CALLERS, LINES))
    inside = [Turn(*at, text, wait) for at in everywhere for wait in waits for text in wait.answers]
    chosen = [wait for wait in waits if set(OUTSIDE_WAITS) & set(wait.answers)]
    outside = [Turn(*at, text, wait) for at in everywhere for wait in chosen for text in OUTSIDE]
    for some in (inside, outside):
        random.Random(SEED).shuffle(some)
    return inside, outside


class Studio:
    """Says turns over the telephone; each text of each caller is spoken once."""

    def __init__(self) -> None:
        self._voices = {name: EspeakVoice(options) for name, options in CALLERS.items()}
        self._noise: Float = np.zeros(0)

    async def open(self) -> None:
        """Get the babble."""
        self._noise = await babble(round(BABBLE_S * RATE_HZ))

    async def close(self) -> None:
        """End the voices."""
        for voice in self._voices.values():
            await voice.close()

    async def turn(self, turn: Turn) -> Int16:
        """What the ear gets of it."""
        speech = levelled(await spoken(self._voices[turn.caller], turn.text))
        samples = np.concatenate((pause(LEAD_S), speech, pause(TAIL_S)))
        # The same turn has the same chance in it, whatever came before.
        digest = hashlib.sha256(f"{turn.caller}/{turn.line}/{turn.text}".encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8]))
        if turn.line != "clean":
            samples = samples + np.roll(self._noise, rng.integers(self._noise.size))[: samples.size]
        resampler = Resampler(RATE_HZ, HEAR_HZ)
        heard = on_the_line(samples, rng)
        return np.concatenate((resampler.push(heard), resampler.flush()))


async def recognition(studio: Studio, some: list[Turn], seconds: float) -> list[dict[str, object]]:
    """Rows of the table: how often what was heard, by line and caller."""
    ear = PocketsphinxEar(command=(sys.executable, "-P", "-c", NO_DICTATION))
    counts: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    ends_at_s = time.monotonic() + seconds
    todo = iter(some)

    async def work() -> None:
        while time.monotonic() < ends_at_s and (turn := next(todo, None)) is not None:
            heard = await ear.hear(await studio.turn(turn), tuple(turn.wait.answers))
            counts[turn.line, turn.caller][turn.judge(heard.phrase)] += 1

    try:
        await asyncio.gather(*(work() for _ in range(MAX_HELPERS)))
    finally:
        await ear.close()
    return [
        {"line": line, "caller": caller, "turns": row.total(), **row}
        for (line, caller), row in sorted(counts.items(), reverse=True)
    ]


async def ear_figures(studio: Studio) -> dict[str, float]:
    """Time and memory, of one helper."""
    wait = next(wait for wait in receptionist() if "on monday please" in wait.answers)
    turn = Turn("f4, American", "clean", TURNS["monday"], wait)
    audio = await studio.turn(turn)
    phrases = tuple(wait.answers)
    others_mb = children_mb()
    ear = PocketsphinxEar()
    try:
        cold = await ms_of(lambda: ear.hear(audio, phrases))
        warm = [await ms_of(lambda: ear.hear(audio, phrases)) for _ in range(10)]
        grammar_mb = children_mb() - others_mb
        await ear.hear(audio, ())
        dictation = [await ms_of(lambda: ear.hear(audio, ())) for _ in range(3)]
        dictation_mb = children_mb() - others_mb
    finally:
        await ear.close()
    return {
        "turn_s": round(audio.size / HEAR_HZ, 2),
        "cold_ms": round(cold, 1),
        "phrase_ms": round(statistics.median(warm), 1),
        "dictation_ms": round(statistics.median(dictation), 1),
        "helper_mb": round(grammar_mb, 1),
        "helper_with_dictation_mb": round(dictation_mb, 1),
    }


# --- all ---------------------------------------------------------------------------------------


async def measure(seconds: float) -> dict[str, Any]:
    """All figures; recognition has `seconds`, a third of them outside the grammar."""
    figures: dict[str, Any] = {"voice": await voice_figures(), "vad": vad_figures()}
    studio = Studio()
    try:
        await studio.open()
        figures["ear"] = await ear_figures(studio)
        inside, outside = turns()
        figures["inside"] = await recognition(studio, inside, seconds * 2 / 3)
        figures["outside"] = await recognition(studio, outside, seconds / 3)
    finally:
        await studio.close()
    return figures


def table(rows: list[dict[str, Any]], *verdicts: str) -> Iterator[str]:
    """A line for each row, and one for each line of the telephone."""
    for line in LINES:
        of_line = [row for row in rows if row["line"] == line]
        whole = {"line": line, "caller": "all"}
        for column in ("turns", *verdicts):
            whole[column] = sum(row.get(column, 0) for row in of_line)
        for row in (*of_line, whole):
            shares = "  ".join(
                f"{verdict} {row.get(verdict, 0) / max(1, row['turns']):4.0%}"
                for verdict in verdicts
            )
            yield f"  {row['line']:13} {row['caller']:13} {row['turns']:4} turns  {shares}"


def show(figures: dict[str, Any]) -> None:
    for part in ("voice", "vad", "ear"):
        print(part)
        for name, value in figures[part].items():
            print(f"  {name:26} {value!s:>9}")
    print("the receptionist's phrases")
    print("\n".join(table(figures["inside"], "right", "wrong", "rejected")))
    print("phrases outside the grammar")
    print("\n".join(table(figures["outside"], "accepted", "rejected")))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=130, help="for the recognition table (default 130)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    args = parser.parse_args()
    figures = asyncio.run(measure(args.seconds))
    if args.json:
        print(json.dumps(figures))
    else:
        show(figures)


if __name__ == "__main__":
    main()
