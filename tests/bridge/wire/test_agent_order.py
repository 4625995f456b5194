"""The table of message orders is complete and says what the protocol says."""

import itertools

import pytest

from bridge.wire.agent_events import Role
from bridge.wire.agent_order import (
    FIRST_STATE,
    KINDS,
    TOLERATED,
    TRANSITIONS,
    Kind,
    State,
    kind_of,
    next_state,
    next_state_read,
)
from bridge.wire.messages import CLIENT_TYPES, SERVER_TYPES, CallStarted, HangUp, Ping

ROLES: tuple[Role, ...] = ("client", "server")
TABLE = [
    # role, state, what is sent there -> the state after it; nothing else is in order
    ("server", State.WAITING, {Kind.CALL_STARTED: State.LIVE}),
    ("server", State.LIVE, {Kind.AUDIO: State.LIVE, Kind.MESSAGE: State.LIVE}),
    (
        "client",
        State.LIVE,
        {
            Kind.AUDIO: State.LIVE,
            Kind.MESSAGE: State.LIVE,
            Kind.STEERING: State.LIVE,
            Kind.HANG_UP: State.ENDING,
        },
    ),
    ("client", State.ENDING, {Kind.AUDIO: State.ENDING, Kind.MESSAGE: State.ENDING}),
]


@pytest.mark.parametrize(("role", "state", "allowed"), TABLE)
@pytest.mark.parametrize("kind", Kind)
def test_each_state_takes_what_the_protocol_lets_it(
    role: Role, state: State, allowed: dict[Kind, State], kind: Kind
) -> None:
    assert next_state(role, state, kind) == allowed.get(kind)


def test_every_role_and_state_has_a_row() -> None:
    assert all(set(TRANSITIONS[role]) == set(State) for role in ROLES)


def test_every_state_that_can_be_reached_is_in_the_tests_table() -> None:
    reached: set[tuple[Role, State]] = set(FIRST_STATE.items())
    for role, (first, second) in itertools.product(ROLES, itertools.product(Kind, Kind)):
        state = next_state(role, FIRST_STATE[role], first)
        if state is not None:
            reached.add((role, state))
            state = next_state(role, state, second)
        if state is not None:
            reached.add((role, state))

    assert reached == {(role, state) for role, state, _ in TABLE}


@pytest.mark.parametrize("role", ROLES)
def test_reading_forgives_what_the_table_lists_and_nothing_else(role: Role) -> None:
    for state, kind in itertools.product(State, Kind):
        forgiven = kind in TOLERATED[role].get(state, ())

        expected = state if forgiven else next_state(role, state, kind)

        assert next_state_read(role, state, kind) == expected


@pytest.mark.parametrize(("role", "state", "allowed"), TABLE)
def test_audio_is_read_in_every_state_and_changes_none(
    role: Role, state: State, allowed: dict[Kind, State]
) -> None:
    assert next_state_read(role, state, Kind.AUDIO) == state


def test_only_a_server_that_has_not_begun_is_forgiven() -> None:
    assert TOLERATED["server"] == {State.WAITING: {Kind.AUDIO, Kind.MESSAGE}}
    assert TOLERATED["client"] == {}


def test_special_kinds_are_types_of_messages() -> None:
    assert set(KINDS) <= set(CLIENT_TYPES) | set(SERVER_TYPES)
    assert kind_of(CallStarted(call_id="a")) is Kind.CALL_STARTED
    assert kind_of(HangUp()) is Kind.HANG_UP
    assert kind_of(Ping(timestamp=1)) is Kind.MESSAGE
