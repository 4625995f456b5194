"""The caller's side of a call that we serve: a client's socket, a client over WebRTC, or a carrier's stream.

A client has its rates from the call's settings; a carrier's stream tells its own when it starts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from bridge.calls.phones import Phones
from bridge.calls.records import CallRecord
from bridge.calls.rooms import Rooms
from bridge.calls.settings import Dial, PhoneMedium, ServerSocketMedium, WebRtcMedium
from bridge.errors import RemoteWireError
from bridge.legs.base import Leg
from bridge.legs.carrier.figures import figures_of, interruptions_of
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.join_socket import JoinSocketLeg
from bridge.legs.media_socket import MediaSocket
from bridge.legs.phone_line import CarrierApi, CarrierApiError, PhoneLine
from bridge.legs.recorder import CallRecorder
from bridge.legs.webrtc.entrance import Entrance
from bridge.legs.webrtc.figures import RtcFigures
from bridge.legs.webrtc.figures import figures_of as rtc_figures_of
from bridge.legs.webrtc.leg import WebRtcLeg
from bridge.wire.agent_events import Message, Rates
from bridge.wire.carriers.base import StartInfo
from bridge.wire.close_codes import POLICY

PHONE_FIGURES: Final = "phone_call_figures"
RTC_FIGURES: Final = "webrtc_call_figures"
_OTHER_WAY: Final = "the client came another way than its call's medium"


class CallerLeg(Leg, Protocol):
    """The leg of whoever joined."""

    def send(self, message: Message) -> None:
        """Send a data message. Raises: LocalWireError for one that the caller's side cannot take."""
        ...

    def stop(self) -> None:
        """End the call because the server goes away."""
        ...


@dataclass(frozen=True, slots=True)
class CallerSide:
    """A caller who is there."""

    rates: Rates
    """Of the caller's audio and of the audio to them."""
    open: Callable[[CallRecorder | None], CallerLeg]
    """Makes the leg, once, with what records it."""
    finish: Callable[[], Awaitable[None]]
    """Ends what lies behind the leg: the phone call."""
    context: Mapping[str, object] = field(default_factory=dict)
    """Who it is, as the carrier says; plain JSON."""
    figures: Callable[[], Mapping[str, object]] | None = None
    """What was counted of the caller's media so far, plain JSON; None where there is none."""
    figures_event: str = PHONE_FIGURES
    """The type of the event that has them at the end of the call."""


async def caller_side(
    record: CallRecord, way: MediaSocket | Entrance, phones: Phones, rooms: Rooms | None = None
) -> CallerSide:
    """Take in whoever joined; `way`: an Entrance where the medium is webRtc, else a socket.

    Raises: RemoteWireError if a carrier's stream does not start as it should, or the client came another way.
    """
    match record.settings.medium, way:
        case WebRtcMedium() as medium, Entrance() as entrance if rooms is not None:
            return _web_rtc(record, medium, entrance, rooms)
        case _, Entrance():
            raise RemoteWireError(_OTHER_WAY)
        case PhoneMedium() as medium, socket:
            return await _phone(record, medium, socket, phones)
        case ServerSocketMedium() as medium, socket:
            return _client(medium, socket)
        case _:
            raise RemoteWireError(_OTHER_WAY)


def _web_rtc(
    record: CallRecord, medium: WebRtcMedium, entrance: Entrance, rooms: Rooms
) -> CallerSide:
    enabled = medium.data_messages.with_more(entrance.wanted)

    legs: list[WebRtcLeg] = []

    def opened(recorder: CallRecorder | None) -> CallerLeg:
        legs.append(rooms.open(record, entrance, enabled, recorder))
        return legs[0]

    def figures() -> Mapping[str, object]:
        return rtc_figures_of(legs[0].figures if legs else RtcFigures())

    return CallerSide(
        Rates(medium.input_hz, medium.output_hz),
        opened,
        _nothing,
        figures=figures,
        figures_event=RTC_FIGURES,
    )


def _client(medium: ServerSocketMedium, socket: MediaSocket) -> CallerSide:
    rates = Rates(medium.input_hz, medium.output_hz)

    def opened(recorder: CallRecorder | None) -> CallerLeg:
        return JoinSocketLeg(
            socket,
            rates=rates,
            client_buffer_ms=medium.client_buffer_ms,
            enabled=medium.data_messages,
            media_idle_s=medium.media_idle_timeout_s,
            recorder=recorder,
        )

    return CallerSide(rates, opened, _nothing)


async def _phone(
    record: CallRecord, medium: PhoneMedium, socket: MediaSocket, phones: Phones
) -> CallerSide:
    api = phones.api(medium.carrier)
    line = None if api is None else _LateLine(api)
    leg = CarrierLeg(
        socket,
        phones.wire(medium),
        line=line,
        dtmf=medium.dtmf,
        figures=phones.figures(record),
        media_idle_s=medium.media_idle_timeout_s,
    )
    leg.divert(phones.divert)
    info = await leg.opened()
    if line is not None:
        line.call_id = info.call_id
    if record.phone_call_id is not None and info.call_id != record.phone_call_id:
        socket.close(POLICY, "another call")  # not ours to hang up
        raise RemoteWireError("the stream names another phone call than the one that was placed")

    def opened(recorder: CallRecorder | None) -> CallerLeg:
        leg.recorder = recorder
        return leg

    def figures() -> Mapping[str, object]:
        counted = leg.figures
        return {**figures_of(counted), "interruptions": interruptions_of(counted)}

    rates = Rates(leg.source_hz, leg.sink_hz)
    return CallerSide(rates, opened, leg.hang_up, _context(info, medium.outgoing), figures)


class _LateLine:
    """A phone call at its carrier's API, whose id the stream tells when it starts."""

    def __init__(self, api: CarrierApi) -> None:
        self._api = api
        self.call_id = ""

    async def hang_up(self) -> None:
        """See PhoneLine."""
        await self._line.hang_up()

    async def transfer(self, target: str) -> None:
        """See PhoneLine."""
        await self._line.transfer(target)

    async def send_digits(self, digits: str) -> None:
        """See PhoneLine."""
        await self._line.send_digits(digits)

    @property
    def _line(self) -> PhoneLine:
        if not self.call_id:
            raise CarrierApiError("the carrier has not said which phone call this is")
        return self._api.line(self.call_id)


def _context(info: StartInfo, placed: Dial | None) -> Mapping[str, object]:
    """Who is on the line; not every carrier's stream says who calls whom, but we know it of calls that we place."""
    return {
        "phoneCallId": info.call_id,
        "from": info.from_number or ("" if placed is None else placed.from_),
        "to": info.to_number or ("" if placed is None else placed.to),
        "parameters": dict(info.parameters),
    }


async def _nothing() -> None:
    await asyncio.sleep(0)
