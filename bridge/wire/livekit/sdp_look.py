"""What a session description says of audio, as far as one look at it tells."""

from typing import Final

_TAKES: Final = frozenset({"recvonly", "sendrecv"})
_SENDS: Final = frozenset({"sendonly", "sendrecv"})
_DIRECTIONS: Final = frozenset({"recvonly", "sendrecv", "sendonly", "inactive"})


def takes_audio(sdp: str) -> bool:
    """Whether the describer will receive audio in any section that is not refused."""
    return not _TAKES.isdisjoint(_audio(sdp))


def sends_audio(sdp: str) -> bool:
    """Whether the describer will send audio in any section that is not refused."""
    return not _SENDS.isdisjoint(_audio(sdp))


def has_channel(sdp: str) -> bool:
    """Whether there is a section for data channels."""
    return any(line.startswith("m=application ") for line in sdp.splitlines())


def _audio(sdp: str) -> set[str]:
    """The directions of the audio sections that are not refused."""
    session, *sections = sdp.replace("\r\n", "\n").split("\nm=")
    default = _direction(session, "sendrecv")  # RFC 8866 section 6.7
    return {_direction(section, default) for section in sections if _is_audio(section)}


def _is_audio(section: str) -> bool:
    kind, port = [*section.split(" ", 2), "", ""][:2]
    # Port 0 refuses, unless the section only shares the transport of another one (RFC 9143 section 6).
    return kind == "audio" and (port != "0" or "\na=bundle-only" in section)


def _direction(part: str, default: str) -> str:
    for line in part.split("\n"):
        if line.startswith("a=") and (said := line[2:].strip()) in _DIRECTIONS:
            return said
    return default
