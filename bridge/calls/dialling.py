"""Phone calls that the server places: dialled, given up, and what carriers tell of them before they are joined."""

import logging
import re
from dataclasses import dataclass
from typing import Final

from bridge.calls.phones import Phones
from bridge.calls.records import CallRecord, EventRecord
from bridge.calls.settings import PhoneMedium
from bridge.legs.phone_line import CarrierApiError

log = logging.getLogger(__name__)

UNANSWERED: Final = "phone_call_unanswered"
"""Type of the event that says why a phone call was not joined."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_. -]{0,39}")
_BUSY: Final = "The called phone was busy."
_NOBODY: Final = "Nobody answered the phone."
_CANCELED: Final = "The phone call was canceled before anybody answered it."
_FAILED: Final = "The carrier could not put the phone call through."
_SENTENCES: Final = {
    "busy": _BUSY,
    "user-busy": _BUSY,
    "no-answer": _NOBODY,
    "timeout": _NOBODY,
    "canceled": _CANCELED,
    "cancelled": _CANCELED,
    "cancel": _CANCELED,
    "originator-cancel": _CANCELED,
    "failed": _FAILED,
    "call-rejected": _FAILED,
    "not-found": _FAILED,
}
"""By the words of Twilio and Plivo (``CallStatus``) and of Telnyx (``hangup_cause``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneNews:
    """How far a phone call has come, as its carrier's webhook says."""

    carrier: str
    phone_call_id: str
    """The carrier's."""
    call_id: str
    """Ours, as the address says that the carrier was given."""
    status: str = ""
    """The carrier's own word."""
    over: bool = False
    """Whether the phone call has ended, or will never be."""
    stream_failed: bool = False
    """Whether the carrier could not open its media socket."""


class Dialling:
    """Places phone calls and gives them up.

    Args:
        phones: the carriers.
    """

    def __init__(self, phones: Phones) -> None:
        self._phones = phones

    async def place(self, record: CallRecord) -> None:
        """Have the carrier dial; a call that is over by the time it rings is hung up again.

        Raises: BridgeError with one sentence if the carrier would not.
        """
        phone_call_id = await self._phones.place(record)
        # Its carrier may have told the id that it goes by from now on (Plivo).
        record.phone_call_id = record.phone_call_id or phone_call_id
        if record.ended is not None:
            await self.stop_ringing(record)

    async def stop_ringing(self, record: CallRecord) -> None:
        """A phone that rings for a call that is over shall ring no longer."""
        medium = record.settings.medium
        if not isinstance(medium, PhoneMedium) or record.phone_call_id is None:
            return
        api = self._phones.api(medium.carrier)
        if api is None:
            return
        try:
            await api.line(record.phone_call_id).hang_up()
        except CarrierApiError as exc:
            log.warning("! call %s: the phone may still ring: %s", record.call_id, exc)


def is_dialled(record: CallRecord, carrier: str | None = None) -> bool:
    """Whether a call's phone call is placed by us; through this carrier, if one is named."""
    medium = record.settings.medium
    if not isinstance(medium, PhoneMedium) or medium.outgoing is None:
        return False
    return carrier is None or carrier == medium.carrier


def is_about(record: CallRecord, news: PhoneNews) -> bool:
    """Whether news of a carrier are about the phone call that was placed for a call.

    At Plivo a placed call goes by the id of its request, until it is answered.
    """
    same = record.phone_call_id in (None, news.phone_call_id) or news.carrier == "plivo"
    return same and is_dialled(record, news.carrier)


def why_unanswered(news: PhoneNews) -> str:
    """Why a phone call that is over, or has no media socket, was not joined: one sentence."""
    if news.stream_failed:
        return "The carrier could not open the phone call's media stream."
    word = news.status if _WORD.fullmatch(news.status) else ""
    known = _SENTENCES.get(word.lower().replace("_", "-"))
    said = f" ({word})" if word else ""
    return known or f"The phone call was over before its media stream came{said}."


def unanswered(stage_id: str, why: str) -> EventRecord:
    """The event of a phone call that was not joined."""
    return EventRecord(stage_id, UNANSWERED, "warning", why, 0.0)
