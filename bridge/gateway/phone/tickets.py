"""Tokens in the paths of media sockets: issued with an answer, good for a while, for one carrier, and once."""

import asyncio
from typing import Final

from bridge.clock import Clock
from bridge.ids import Ids
from bridge.wire.carriers.base import CarrierName
from bridge.wire.signatures.replay import OnceOnly
from bridge.wire.signatures.stream_token import Claim, StreamTokens

KEY_BYTES: Final = 32
REPLAY_S: Final = 600.0
"""For how long signatures are remembered that tell when they were made: they are good for 300 s before and after."""
UNDATED_S: Final = 86_400.0
"""For how long those are remembered that do not (Plivo), and carriers' calls: such a signature is good for ever."""


class Tickets:
    """Issues and checks tokens.

    How long a token is good is measured by the loop's time: a wall clock that is set would cut calls off.

    Args:
        ids: draws the key; tokens are good in this process only.
        clock: the wall clock.
        valid_s: how long a token is good.
    """

    def __init__(self, ids: Ids, clock: Clock, valid_s: float) -> None:
        self._tokens = StreamTokens(ids.random.randbytes(KEY_BYTES))
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self._valid_s = valid_s
        self._used = OnceOnly(max(2 * valid_s, REPLAY_S))
        self._undated = OnceOnly(UNDATED_S)
        self._calls = OnceOnly(UNDATED_S)
        self._over = OnceOnly(UNDATED_S)

    def now_s(self) -> float:
        """Unix seconds, for signatures."""
        return self._clock().timestamp()

    def issue(self, carrier: CarrierName, call_id: str) -> str:
        """A token for a media socket of this call of ours."""
        return self._tokens.issue(carrier, call_id, self._loop.time(), self._valid_s)

    def check(self, token: str, carrier: CarrierName) -> Claim | str:
        """What a token says, or a sentence why it is not good."""
        return self._tokens.check(token, carrier, self._loop.time())

    def first(self, key: str, *, dated: bool = True) -> bool:
        """Whether a token or a signature comes for the first time; from now on it has come.

        Args:
            key: of the token or the signature.
            dated: whether it is good for a time only; else it is remembered for a day.
        """
        seen = self._used if dated else self._undated
        return seen.first(key, self._loop.time())

    def first_call(self, carrier: CarrierName, carrier_call_id: str) -> bool:
        """Whether a call of the carrier's is taken for the first time; from now on it was."""
        return self._calls.first(f"{carrier} {carrier_call_id}", self._loop.time())

    def call_is_over(self, carrier: CarrierName, carrier_call_id: str) -> None:
        """The carrier has said that a call of its own is over."""
        self._over.first(f"{carrier} {carrier_call_id}", self._loop.time())

    def call_was_over(self, carrier: CarrierName, carrier_call_id: str) -> bool:
        """Whether it has said so."""
        return self._over.has(f"{carrier} {carrier_call_id}", self._loop.time())
