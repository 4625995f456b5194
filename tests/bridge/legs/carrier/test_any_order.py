"""Whatever comes in whatever order: the leg serves on, and its account adds up."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.legs.base import MessageEvent
from bridge.legs.carrier.marks import MAX_PENDING
from bridge.legs.carrier.player import MAX_WAITING_BYTES
from bridge.virtual import run_virtual
from bridge.wire.carriers.base import MarkRule, Traits
from bridge.wire.messages import ClientToolInvocation, State, Transcript
from tests.bridge.legs.carrier.plain_call import HandLine, PlainCall, opened_call
from tests.fakes.legs import hand_port

ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "speak",
                "speak on",
                "hear",
                "burst",
                "clear",
                "marks",
                "one mark",
                "flushed",
                "full",
                "room",
                "digit",
                "missing",
                "junk",
                "word",
                "state",
                "press",
                "drain",
                "again",
                "stuck",
                "unstuck",
                "wait",
                "wait",
            ]
        ),
        st.integers(0, 60),
    ),
    max_size=40,
)
RULES: list[MarkRule] = ["echoed", "silent", "told", "none"]


class Hand:
    """Does the acts to a call."""

    def __init__(self, call: PlainCall) -> None:
        self.call = call
        self.tasks: list[asyncio.Task[None]] = []
        self.full = False
        self.word = 0

    async def act(self, act: str, n: int) -> None:
        call = self.call
        says: dict[str, Callable[[], None]] = {
            "speak": lambda: call.speak(n / 20),
            "speak on": lambda: call.speak(n / 333, end=False),
            "hear": lambda: call.hear(np.ones(160, np.int16)),
            "burst": lambda: call.hear(np.ones(160 * n, np.int16)),
            "clear": call.clear,
            "marks": lambda: call.say(*[text for text in call.texts if text[:4] == "mark"][-n:]),
            "one mark": lambda: call.say(f"mark m{n}"),
            "flushed": lambda: call.say(f"flushed m{n}"),
            "full": lambda: call.say("full"),
            "room": lambda: call.say("room"),
            "digit": lambda: call.say("digit 5"),
            "missing": lambda: call.say(f"missing {n}"),
            "junk": lambda: call.say("junk x"),
            "word": self.say_word,
            "state": lambda: call.leg.receive(MessageEvent(State(state="speaking"))),
            "press": lambda: call.leg.receive(
                MessageEvent(
                    ClientToolInvocation(
                        tool_name="playDtmfSounds",
                        invocation_id=f"i{n}",
                        parameters={"digits": "12"},
                    )
                )
            ),
            "drain": lambda: self.tasks.append(asyncio.create_task(call.leg.drain())),
            "stuck": lambda: setattr(call.socket, "buffered_bytes", MAX_WAITING_BYTES + 1),
            "unstuck": lambda: setattr(call.socket, "buffered_bytes", 0),
        }
        if act == "again":
            await call.stop_running()
            call.run(hand_port())
            await asyncio.sleep(0)
        elif act == "wait":
            await asyncio.sleep(n / 20)
        else:
            says[act]()

    def say_word(self) -> None:
        self.word += 1
        words = Transcript(role="agent", delta=" word", final=False, ordinal=self.word // 5)
        self.call.leg.receive(MessageEvent(words))


@settings(max_examples=150)
@pytest.mark.parametrize("rule", RULES)
@given(acts=ACTS, clears=st.booleans(), whole=st.booleans(), frame_ms=st.sampled_from([20, 100]))
def test_the_leg_serves_on_and_its_account_adds_up(
    rule: MarkRule, acts: list[tuple[str, int]], clears: bool, whole: bool, frame_ms: int
) -> None:
    async def call() -> None:
        traits = Traits(
            name="twilio", marks=rule, clears=clears, whole_frames=whole, frame_ms=frame_ms
        )
        call = await opened_call(traits, line=HandLine())
        call.run()
        await asyncio.sleep(0)
        hand = Hand(call)
        for act, n in acts:
            await hand.act(act, n)

            assert not call.task.done()
            heard = call.ends.incoming.ledger.heard(call.now)
            parts = (
                heard.played_acknowledged,
                heard.played_interpolated,
                heard.flushed,
                heard.lost,
                heard.ahead,
            )
            assert sum(parts) == heard.sent
            assert min(parts) >= 0
            if not call.leg.figures.marks_back:  # a late one may show that more is ahead
                assert heard.ahead <= 8_000 * (traits.ahead_ms + 2 * frame_ms) / 1000
            assert 0 <= call.leg.figures.marks_outstanding <= MAX_PENDING
        began = call.now
        await asyncio.gather(*hand.tasks)
        assert call.now - began < 60
        await call.over()
        left = call.now
        n_sent = len(call.socket.sent)
        await asyncio.sleep(100)
        assert len(call.socket.sent) == n_sent
        assert call.now == left + 100

    run_virtual(call())
