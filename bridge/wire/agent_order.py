"""Which message may come when on a serverWebSocket: one table, and what a peer is forgiven.

Rules of this file: every order of messages is decided here; nothing here knows which end we are.
The server begins with call_started. The client may send from the first moment on, and after its
hang_up nothing more that steers the agent. Read leniently: audio and messages before call_started
are taken from a server (a client can switch call_started off). Write exactly.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from bridge.wire.agent_events import Message, Role


class State(StrEnum):
    """Where one role is in the call."""

    WAITING = "waiting"  # before call_started
    LIVE = "live"
    ENDING = "ending"  # after hang_up


class Kind(StrEnum):
    """What can be sent, as far as order goes."""

    AUDIO = "audio"
    CALL_STARTED = "call_started"
    HANG_UP = "hang_up"
    STEERING = "a message that steers the agent"
    MESSAGE = "a message"  # any other


KINDS: Final[Mapping[str, Kind]] = {
    "call_started": Kind.CALL_STARTED,
    "hang_up": Kind.HANG_UP,
    "user_text_message": Kind.STEERING,
    "input_text_message": Kind.STEERING,
    "set_output_medium": Kind.STEERING,
    "forced_agent_message": Kind.STEERING,
    "spawn_thread": Kind.STEERING,
}

FIRST_STATE: Final[Mapping[Role, State]] = {"server": State.WAITING, "client": State.LIVE}

# What is not in the table is out of order.
TRANSITIONS: Final[Mapping[Role, Mapping[State, Mapping[Kind, State]]]] = {
    "server": {
        State.WAITING: {Kind.CALL_STARTED: State.LIVE},
        State.LIVE: {Kind.AUDIO: State.LIVE, Kind.MESSAGE: State.LIVE},
        State.ENDING: {},
    },
    "client": {
        State.WAITING: {},
        State.LIVE: {
            Kind.AUDIO: State.LIVE,
            Kind.MESSAGE: State.LIVE,
            Kind.STEERING: State.LIVE,
            Kind.HANG_UP: State.ENDING,
        },
        State.ENDING: {Kind.AUDIO: State.ENDING, Kind.MESSAGE: State.ENDING},
    },
}

SENDS_AUDIO: Final[Mapping[Role, frozenset[State]]] = {
    role: frozenset(state for state, kinds in states.items() if Kind.AUDIO in kinds)
    for role, states in TRANSITIONS.items()
}
"""The states in which a role may send audio, which never changes them."""

# Out of order, and taken all the same when a peer does it.
TOLERATED: Final[Mapping[Role, Mapping[State, frozenset[Kind]]]] = {
    "server": {State.WAITING: frozenset({Kind.AUDIO, Kind.MESSAGE})},
    "client": {},
}


def kind_of(message: Message) -> Kind:
    """What a message is, as far as order goes."""
    return KINDS.get(message.type, Kind.MESSAGE)


def next_state(role: Role, state: State, kind: Kind) -> State | None:
    """The state of a role after it sent this; None when that is out of order."""
    return TRANSITIONS[role][state].get(kind)


def next_state_read(role: Role, state: State, kind: Kind) -> State | None:
    """The same for a peer, who is forgiven what TOLERATED lists."""
    if kind in TOLERATED[role].get(state, ()):
        return state
    return next_state(role, state, kind)
