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


def _audio(sdp: str) -> list[str | None]:
    """The directions of the sections; None for one that is refused or no audio."""
    default = "sendrecv"  # RFC 8866 section 6.7: unless the session or the section says another
    directions: list[str | None] = []
    for line in sdp.splitlines():
        if line.startswith("m="):
            kind, _, rest = line[2:].partition(" ")
            taken = kind == "audio" and rest.partition(" ")[0] != "0"
            directions.append(default if taken else None)
        elif line.startswith("a=") and (said := line[2:].strip()) in _DIRECTIONS:
            if not directions:
                default = said
            elif directions[-1] is not None:
                directions[-1] = said
    return directions
