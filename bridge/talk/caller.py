"""The caller's leg of a talk: a sound device, or nothing but a keyboard."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bridge.talk.conversation import DeviceEnd
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.session import CallerEnd
from bridge.talk.sound import Sound
from bridge.wire.agent_socket import Rates


async def _nothing() -> None:
    """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The leg, and what else there is to know of it.

    Attributes:
        leg: takes the caller's side of the call.
        device: its sound device; None where the user types.
        notes: sentences that the user should read.
        close: gives back what the leg does not.
    """

    leg: CallerEnd
    device: DeviceEnd | None = None
    notes: Sequence[str] = ()
    close: Callable[[], Awaitable[None]] = _nothing


async def make_caller(sound: Sound, rates: Rates) -> Caller:
    """The leg for this sound.

    Raises: MissingExtra, UsageError (a DeviceError) with one sentence that says what to do.
    """
    if sound.typed:
        return Caller(ProgramLeg(source_hz=rates.input_hz, sink_hz=rates.output_hz))
    raise NotImplementedError
