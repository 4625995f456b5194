"""The section of a description on which our voice goes out, and the way out once the connection is up.

With an answer it is the first section on which the peer offers to receive and not to send, else one where it does both;
with an offer of ours, a section of its own.
"""

from aiortc import RTCPeerConnection, RTCRtpTransceiver

from bridge.legs.webrtc import inside
from bridge.legs.webrtc.voice import Voice


class VoiceSection:
    """That of one connection."""

    def __init__(self, connection: RTCPeerConnection) -> None:
        self._connection = connection
        self._voice: Voice | None = None
        self._names: tuple[str, str] | None = None
        self._section: RTCRtpTransceiver | None = None
        self._out: inside.RtpOut | None = None
        self._closed = False

    @property
    def mid(self) -> str | None:
        """What the descriptions call the section; None if there is none."""
        return None if self._section is None else self._section.mid

    def say(self, voice: Voice, msid: tuple[str, str] | None) -> None:
        """Send `voice`, as soon as there is a way; `msid` is what the SDP calls its stream and its track."""
        self._voice = voice
        self._names = msid
        if self._section is not None and msid is not None:
            inside.name_track(self._section.sender, *msid)
        if self._out is not None:
            voice.attach(self._out)

    def add(self) -> str:
        """Make a section for our next offer; what the SDP calls the track."""
        section = self._connection.addTransceiver("audio", direction="sendonly")
        self._use(section)
        return inside.track_id(section.sender)

    def choose(self) -> None:
        """Take one of the peer's offer, once there is a voice and the offer has a place."""
        if self._voice is None or self._section is not None:
            return
        audio = [one for one in self._connection.getTransceivers() if one.kind == "audio"]
        for wanted in ("sendonly", "sendrecv"):
            for section in audio:
                if inside.may_send(section) == wanted:
                    section.direction = wanted
                    self._use(section)
                    return

    def ready(self, out: inside.RtpOut) -> None:
        """There is a way out of one of the sections; only ours is of use."""
        if self._section is None or not out.is_of(self._section.sender) or self._closed:
            return
        self._out = out
        if self._voice is not None:
            self._voice.attach(out)

    def close(self) -> None:
        """Say nothing more."""
        self._closed = True
        if self._voice is not None and self._out is not None:
            self._voice.detach(self._out)

    def _use(self, section: RTCRtpTransceiver) -> None:
        self._section = section
        if self._names is not None:
            inside.name_track(section.sender, *self._names)
