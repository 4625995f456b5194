"""One connection of a client over WebRTC, as the leg of its call sees it, and the leg as the connection sees it.

A call outlives its connections: a client whose network drops joins anew, and the new link takes the place of the old
one. What a link is made of (LiveKit signalling in either version, or one WHIP exchange) is its own affair.
"""

from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.figures import LinkFigures
from bridge_codecs.pcm import Int16

if TYPE_CHECKING:
    from bridge.legs.webrtc.voice import Voice

TOO_LONG: Final = "a message on the data channel is too long to be a data message"
NOT_TAKEN: Final = (
    "the client reads its data messages too slowly, or takes none so long; one is lost"
)
Parting: TypeAlias = Literal["over", "replaced", "server stops"]
"""Why a link is stopped by us: the call is over, the client has joined anew, the server goes away."""


class LinkUser(Protocol):
    """The leg. Nothing here waits; links that were replaced are not listened to."""

    def hear(self, link: "Link", samples: Int16) -> None:
        """Audio of the microphone, mono int16 at the leg's ``source_hz``, gapless in time."""
        ...

    def take(self, link: "Link", payload: bytes | str) -> None:
        """A data message of the client, as it came."""
        ...

    def bad_message(self, link: "Link", sentence: str) -> None:
        """What came on the channel is no data message; too many of them end the call."""
        ...

    def ready(self, link: "Link") -> None:
        """The microphone is published and the data channel open: from now on `Link.send` reaches the client.

        After `lost` it says that the client is back on the same connection.
        """
        ...

    def mute(self, link: "Link", *, disabled: bool) -> None:
        """The client does not want to hear the agent, or does again."""
        ...

    def lost(self, link: "Link", why: str, *, left: bool = False) -> None:
        """The connection is gone or no longer to be relied on; the client may come back with another one.

        `left`: the client said that it goes.
        """
        ...

    def refuse(self, link: "Link", exc: RemoteWireError) -> None:
        """The client broke the protocol: its call is to end."""
        ...

    def warn(self, link: "Link", type_: str, sentence: str) -> None:
        """Something that the call's record should mention."""
        ...


class Link(Protocol):
    """One connection."""

    @property
    def heard_s(self) -> float:
        """When anything last came from the client, loop time."""
        ...

    @property
    def figures(self) -> LinkFigures:
        """What is counted of it so far; also when it is stopped."""
        ...

    def start(self, user: LinkUser, voice: "Voice") -> None:
        """Begin, once; `voice` is what the client hears."""
        ...

    def send(self, text: str) -> None:
        """Send a data message on the channel; ignored before the link is ready and after its end."""
        ...

    def stop(self, parting: Parting) -> None:
        """Tell the client and close everything; nothing of the link is heard of any more. May be called again."""
        ...

    async def closed(self) -> None:
        """Return when all that the link held is given back."""
        ...
