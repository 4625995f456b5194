"""Which messages a connection gets: the `dataMessages` object of a medium or data connection.

Source: the vendor's OpenAPI schema (EnabledDataMessages), 2026-07-02. A switch that is not given
keeps its default, and two defaults depend on the carrier. Messages without a switch (of threads,
room_info) are always sent.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal, Self, TypeAlias

from bridge.wire.messages.base import WireModel

Carrier: TypeAlias = Literal["server_web_socket", "web_rtc", "data_connection"]


class EnabledDataMessages(WireModel):
    """The switches; each is named as the message it switches.

    As given by a user, `model_fields_set` holds what was said; `for_carrier` settles the rest.
    """

    pong: bool = True
    state: bool = True
    transcript: bool = True
    client_tool_invocation: bool = True
    data_connection_tool_invocation: bool = False
    playback_clear_buffer: bool = False
    call_started: bool = True
    debug: bool = False
    call_event: bool = False
    tool_used: bool = False
    user_started_speaking: bool = False
    user_stopped_speaking: bool = False
    invoking_tool: bool = False

    @classmethod
    def for_carrier(cls, carrier: Carrier, given: Self | None = None) -> Self:
        """All switches settled: what was given, over the carrier's own defaults."""
        said = given.model_dump(exclude_unset=True) if given is not None else {}
        return cls.model_validate({**_OWN_DEFAULTS[carrier], **said})

    def with_more(self, types: Collection[str]) -> Self:
        """These types switched on too; one that is unknown is passed over."""
        known = {name: True for name in types if name in type(self).model_fields}
        return self.model_copy(update=known)

    def enabled(self, message_type: str) -> bool:
        """Whether messages of this type are sent."""
        if message_type not in type(self).model_fields:
            return True
        return bool(getattr(self, message_type))


_OWN_DEFAULTS: Final[Mapping[Carrier, Mapping[str, bool]]] = {
    "server_web_socket": {"playback_clear_buffer": True},
    "web_rtc": {},
    "data_connection": {"data_connection_tool_invocation": True},
}
