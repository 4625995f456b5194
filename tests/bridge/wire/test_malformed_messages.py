"""Ten thousand malformed data messages: each ends in a documented outcome, and none is lost.

The other half of that promise, over sockets and beside a healthy call, is tested with the server.
"""

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.agent_socket import (
    AgentSocket,
    AnswerAgain,
    ClearBuffer,
    Ignored,
    MessageReceived,
    Role,
    SocketEvent,
)
from bridge.wire.messages import JsonObject
from tests.fakes.data_message_samples import CLIENT_SAMPLES, SERVER_SAMPLES
from tests.fakes.joined_agent_sockets import RATES
from tests.fakes.mutator import Mutator

SAMPLES: dict[Role, list[JsonObject]] = {
    "server": [fields for fields, _ in CLIENT_SAMPLES],
    "client": [fields for fields, _ in SERVER_SAMPLES],
}
PER_ROLE = 5_000
MESSAGES_PER_S = 40  # fast enough for a peer to be refused for its garbage now and then


@pytest.mark.parametrize("role", ["client", "server"])
def test_every_malformed_message_ends_in_a_documented_outcome(role: Role) -> None:
    feed(role, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("role", ["client", "server"])
def test_a_million_malformed_messages_end_in_documented_outcomes(role: Role) -> None:
    for seed in range(2, 102):
        feed(role, seed)


def feed(role: Role, seed: int) -> None:
    """Send malformed messages to one end, anew after each refusal; check and count all outcomes."""
    mutator, samples = Mutator(seed), SAMPLES[role]
    outcomes: list[SocketEvent | RemoteWireError] = []
    totals = {"messages": 0, "ignored": 0, "refused": 0}
    socket = AgentSocket(role, RATES)

    for number in range(PER_ROLE):
        text = mutator.mutate(samples[number % len(samples)])
        try:
            outcomes += socket.receive_text(text, number / MESSAGES_PER_S)
        except RemoteWireError as exc:
            outcomes.append(exc)
            add_up(totals, socket)
            socket = AgentSocket(role, RATES)
    add_up(totals, socket)

    assert len(outcomes) == sum(totals.values()) == PER_ROLE
    assert all(documented(outcome) for outcome in outcomes)
    # The mutator is worth its name: most texts are broken, and each way out is taken.
    assert totals["ignored"] > PER_ROLE // 4
    assert min(totals.values()) > 0


def add_up(totals: dict[str, int], socket: AgentSocket) -> None:
    totals["messages"] += socket.counts.messages
    totals["ignored"] += socket.counts.ignored.total()
    totals["refused"] += socket.counts.refused


def documented(outcome: SocketEvent | RemoteWireError) -> bool:
    if isinstance(outcome, RemoteWireError):
        return outcome.close_code in (1008, 1009) and str(outcome).isprintable()
    if isinstance(outcome, Ignored):
        return outcome.detail.isprintable()
    return isinstance(outcome, (MessageReceived, ClearBuffer, AnswerAgain))


def test_the_same_seed_gives_the_same_texts() -> None:
    one, other = Mutator(7), Mutator(7)

    assert [one.mutate(fields) for fields in SAMPLES["client"]] == [
        other.mutate(fields) for fields in SAMPLES["client"]
    ]


def test_a_message_is_not_changed_by_mutating_it() -> None:
    fields = dict(SAMPLES["server"][8])
    before = repr(fields)

    for seed in range(100):
        Mutator(seed).mutate(fields)

    assert repr(fields) == before
