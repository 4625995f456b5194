"""Session descriptions as text: what is refused before anybody parses it, and what is changed in ours.

Sources: reliability 4.10 (B4), reference webrtc 4 and 5. A peer's description is bounded, has the sections it must
have, and loses the candidates that would only hold us up: names of mDNS (each a second of waiting; the peer is found by
its own checks all the same), TCP, and more than `MAX_CANDIDATES`. "No more candidates" is left out too, because a peer
whose candidates we did not take may still reach us, and so is the feedback that it would like, because we give none and
aiortc notes each line of it for each format. Sections that share a transport may name its candidates in one of
them (RFC 8843 section 7.1.3), where aiortc sees those of the first or the last one only: so these two get all.
"""

import re
from ipaddress import ip_address
from typing import Final

from bridge.errors import RemoteWireError

MAX_BYTES: Final = 64 * 1024
MAX_SECTIONS: Final = 16
MAX_CANDIDATES: Final = 50
MAX_LINE: Final = 2_048
MAX_FORMATS: Final = 128
"""Of a section: there are no more payload types."""

_OPUS: Final = re.compile(r"^a=rtpmap:(\d+) opus/48000/2\r?$", re.MULTILINE | re.IGNORECASE)
_FINGERPRINT: Final = re.compile(
    r"^a=fingerprint:sha-(256|384|512) \S", re.MULTILINE | re.IGNORECASE
)
_HOST: Final = re.compile(r"^(a=candidate:\S+ \d+ \S+ \d+ )(\S+)( \d+ typ host\b.*)$", re.MULTILINE)
_KINDS: Final = ("m=audio ", "m=video ", "m=application ")
_FMTP: Final = "minptime=10;useinbandfec=1"


def checked(sdp: str, *, needs_audio: bool) -> str:
    """A peer's description that aiortc may read.

    Raises: RemoteWireError, one sentence.
    """
    lines = _bounded(sdp)
    if needs_audio and not any(line.startswith("m=audio ") for line in lines):
        raise RemoteWireError(
            "the session description has no audio: offer a section with m=audio and Opus"
        )
    if not _FINGERPRINT.search(sdp):
        raise RemoteWireError(
            "the session description has no fingerprint by SHA-256: media is encrypted here"
        )
    return "\r\n".join([*_with_shared_candidates(_with_what_is_used(lines)), ""])


def _bounded(sdp: str) -> list[str]:
    if len(sdp) > MAX_BYTES or len(sdp.encode(errors="replace")) > MAX_BYTES:
        raise RemoteWireError(
            f"the session description is longer than {MAX_BYTES // 1024} KiB", close_code=1009
        )
    lines = sdp.splitlines()  # as aiortc does: what ends a line for it does so here
    sections = [line for line in lines if line.startswith("m=")]
    if not sdp.startswith("v=0") or not sections:
        raise RemoteWireError("the session description is not SDP: it has no v=0 or no m= line")
    if len(sections) > MAX_SECTIONS:
        raise RemoteWireError(
            f"the session description has {len(sections)} sections; {MAX_SECTIONS} at most"
        )
    if max(_formats(lines)) > MAX_FORMATS:
        raise RemoteWireError(
            f"a section of the session description has more than {MAX_FORMATS} lines with a=rtpmap"
        )
    if any(len(line) > MAX_LINE for line in lines):
        raise RemoteWireError(
            f"the session description has a line of more than {MAX_LINE:,} characters"
        )
    return lines


def _with_what_is_used(lines: list[str]) -> list[str]:
    kept, left = [], MAX_CANDIDATES
    for line in lines:
        if line.startswith(("a=end-of-candidates", "a=rtcp-fb:")):
            continue
        if line.startswith("a=candidate:"):
            if not left or not is_usable(line[2:]):
                continue
            left -= 1
        kept.append(line)
    return kept


def _with_shared_candidates(lines: list[str]) -> list[str]:
    bundled = {
        mid for line in lines if line.startswith("a=group:BUNDLE ") for mid in line.split()[1:]
    }
    shared, *sections = _sections(lines)
    sharing = [n for n, section in enumerate(sections) if _shares(section, bundled)]
    if not sharing:
        return lines
    candidates = {line: None for line in lines if line.startswith("a=candidate:")}
    for n, section in enumerate(sections):
        shared += [line for line in section if not line.startswith("a=candidate:")]
        if n in (sharing[0], sharing[-1]):
            shared += candidates
    return shared


def _formats(lines: list[str]) -> list[int]:
    """How many each section has; aiortc looks through all of them for each line that says more of one."""
    return [sum(line.startswith("a=rtpmap:") for line in part) for part in _sections(lines)]


def _sections(lines: list[str]) -> list[list[str]]:
    """What stands before the first section, and each of them."""
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def _shares(section: list[str], bundled: set[str]) -> bool:
    """Whether aiortc makes something of a section, on the transport of the bundle.

    Raises: RemoteWireError for one with two names.
    """
    mids = [line[6:] for line in section if line.startswith("a=mid:")]
    if len(mids) > 1:
        raise RemoteWireError("a section of the session description has more than one a=mid")
    return section[0].startswith(_KINDS) and not bundled.isdisjoint(mids)


def is_usable(candidate: str) -> bool:
    """Whether an address is worth trying: UDP, a number and no name, of a single host."""
    parts = candidate.removeprefix("candidate:").split()
    if len(parts) < 8 or parts[2].lower() != "udp" or parts[6] != "typ":
        return False
    try:
        address = ip_address(parts[4])
        numbers = (int(parts[1]), int(parts[3]), int(parts[5]))
    except ValueError:
        return False
    in_range = numbers[0] == 1 and 0 < numbers[1] < 1 << 32 and 0 < numbers[2] < 1 << 16
    return in_range and not address.is_multicast and not address.is_unspecified


def ours(sdp: str, external_address: str | None) -> str:
    """Our description as the peer gets it: with what we want of its Opus, and the address the network knows."""
    sdp = _OPUS.sub(rf"a=rtpmap:\1 opus/48000/2\r\na=fmtp:\1 {_FMTP}\r", sdp)
    if external_address is None:
        return sdp

    def moved(candidate: re.Match[str]) -> str:
        address = ip_address(candidate[2])
        stays = address.is_loopback or address.version != ip_address(external_address).version
        return candidate[0] if stays else f"{candidate[1]}{external_address}{candidate[3]}"

    return _HOST.sub(moved, sdp)
