"""Which package of this system brings what sound needs, as the command that installs it."""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

Part = Literal["portaudio", "pulse"]

_INSTALL: Final[Mapping[str, tuple[str, Mapping[Part, str]]]] = {
    "debian": ("sudo apt install", {"portaudio": "libportaudio2", "pulse": "libasound2-plugins"}),
    "fedora": ("sudo dnf install", {"portaudio": "portaudio", "pulse": "alsa-plugins-pulseaudio"}),
    "arch": ("sudo pacman -S", {"portaudio": "portaudio", "pulse": "alsa-plugins"}),
    "suse": ("sudo zypper install", {"portaudio": "libportaudio2", "pulse": "alsa-plugins-pulse"}),
    "alpine": ("sudo apk add", {"portaudio": "portaudio", "pulse": "alsa-plugins-pulse"}),
}
_LIKE: Final = {"ubuntu": "debian", "rhel": "fedora", "centos": "fedora", "opensuse": "suse"}
SOUND_NODES: Final = Path("/dev/snd")


def install_command(part: Part) -> str:
    """What to type on this system; a description where that is not known."""
    if sys.platform == "darwin":
        return "brew install portaudio"
    if sys.platform == "win32":
        return "pip install --force-reinstall sounddevice"
    for name in _names():
        if name in _INSTALL:
            command, packages = _INSTALL[name]
            return f"{command} {packages[part]}"
    what = "PortAudio" if part == "portaudio" else "the ALSA plugin for PulseAudio"
    return f"install {what} with this system's package manager"


def why_no_device() -> str:
    """The likeliest reason why a working sound system lists no device at all, and what to do."""
    if not sys.platform.startswith("linux"):
        return "connect one, or allow this program the microphone in the system's privacy settings"
    if _may_not():
        return (
            "there are some, but this user may not use them: sudo usermod -aG audio $USER, "
            "then log in again"
        )
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and Path(runtime, "pulse", "native").exists():
        return f"a sound server runs, but PortAudio cannot reach it: {install_command('pulse')}"
    return "connect one"


def _names() -> list[str]:
    """What this Linux calls itself, and what it says it is like."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return [_LIKE.get(name.partition("-")[0], name) for name in names]


def _may_not() -> bool:
    try:
        nodes = list(SOUND_NODES.glob("pcm*"))
    except OSError:
        return True
    return bool(nodes) and not any(os.access(node, os.R_OK | os.W_OK) for node in nodes)
