"""A call that was, for tests of what is written about it."""

import numpy as np

from bridge.batch.result import CallResult, Cut, InputPlayed, StateChange, ToolCall, Transcript
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000
DURATION_S = 41.0


def speech(*stretches_s: tuple[float, float], seed: int, duration_s: float = DURATION_S) -> Int16:
    """Noise with the rhythm of syllables in these stretches, silence elsewhere."""
    chance = np.random.default_rng(seed)
    samples = np.zeros(round(duration_s * RATE_HZ))
    for start_s, end_s in stretches_s:
        start, end = round(start_s * RATE_HZ), round(end_s * RATE_HZ)
        at = np.arange(end - start) / RATE_HZ
        shape = 0.25 + 0.75 * np.abs(np.sin(2 * np.pi * 2.3 * at + seed))
        samples[start:end] = chance.normal(0, 2_600, end - start) * shape
    return np.clip(samples, -32_768, 32_767).astype(np.int16)


def booking_call() -> CallResult:
    """A booking with a tool call and one interruption; no real audio, but the right figures."""
    caller = speech((4.5, 6.9), (13.2, 16.4), (24.3, 25.9), (34.1, 35.2), seed=1)
    agent = speech((0.9, 3.8), (7.7, 12.1), (17.2, 19.0), (20.3, 24.6), (26.9, 33.0), (36.0, 39.5), seed=2)  # fmt: skip
    states = [
        (0.0, "idle"), (0.2, "thinking"), (0.9, "speaking"), (3.9, "listening"), (7.3, "thinking"),
        (7.7, "speaking"), (12.2, "listening"), (16.8, "thinking"), (17.2, "speaking"),
        (24.6, "listening"), (26.3, "thinking"), (26.9, "speaking"), (33.0, "listening"),
        (35.6, "thinking"), (36.0, "speaking"), (39.6, "idle"),
    ]  # fmt: skip
    lines = [
        ("agent", "Hello, this is the Harbour Inn. How can I help you?", 0.9, 3.8, ""),
        ("user", "I would like to book a table for Friday.", 4.5, 6.9, ""),
        ("agent", "Of course. For how many people shall that be, and at what time would you like to come?", 7.7, 12.1, ""),  # noqa: E501
        ("user", "For four, at half past seven, please.", 13.2, 16.4, ""),
        ("agent", "One moment, let me look.", 17.2, 19.0, ""),
        ("agent", "Half past seven is free. You can have the table by the window", 20.3, 24.6, ", or the one near the kitchen, which is a little larger and"),  # noqa: E501
        ("user", "The window, please.", 24.3, 25.9, ""),
        ("agent", "Then it is the table by the window, Friday at half past seven, for four people. Is there anything else?", 26.9, 33.0, ""),  # noqa: E501
        ("user", "No, thank you.", 34.1, 35.2, ""),
        ("agent", "We are looking forward to seeing you. Goodbye.", 36.0, 39.5, ""),
    ]  # fmt: skip
    return CallResult(
        call_id="5f1c2b84-3f1e-4bd5-9f6e-0d6c0a1b2c3d",
        rate_hz=RATE_HZ,
        caller=caller,
        agent=agent,
        end_reason="agent_hangup",
        seed="tipring",
        virtual=True,
        settings={"model": "ultravox-v0.7", "temperature": 0.1234567891},
        inputs=(
            InputPlayed("book-a-table.wav", 4.3, 2.8),
            InputPlayed("interrupts.wav", 24.2, 1.9),
        ),
        messages=({"role": "MESSAGE_ROLE_AGENT", "text": "Hello, this is the Harbour Inn."},),
        events=({"type": "call_started", "severity": "info"},),
        tool_calls=(
            ToolCall(
                at_s=18.6,
                name="checkAvailability",
                invocation_id="call_0123456789abcdefghijklmn",
                arguments={"day": "Friday", "time": "19:30", "people": 4},
                result='{"free": ["window", "kitchen"]}',
                done_s=19.4,
            ),
            ToolCall(
                at_s=33.2,
                name="sendConfirmation",
                invocation_id="call_abcdefghijklmn0123456789",
                arguments={"to": "guest"},
                error="this caller has no such tool",
                done_s=33.2,
            ),
        ),
        states=tuple(StateChange(at, state) for at, state in states),
        transcripts=tuple(
            Transcript(role=role, text=text, start_s=a, end_s=b, ordinal=n, unheard_text=unheard)
            for n, (role, text, a, b, unheard) in enumerate(lines)
        ),
        cuts=(Cut(24.6, "You can have the table by the window", ", or the one"),),
        underruns=1,
        underrun_ms=40.0,
        notes=("interrupts.wav: stereo: the left one is taken",),
    )
