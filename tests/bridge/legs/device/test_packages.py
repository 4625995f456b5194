"""The sentence that says what to install on this system."""

import platform
import sys
from pathlib import Path

import pytest

from bridge.legs.device import packages
from bridge.legs.device.packages import install_command, why_no_device


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ({"ID": "debian"}, "sudo apt install libportaudio2"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "sudo apt install libportaudio2"),
        ({"ID": "fedora"}, "sudo dnf install portaudio"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "sudo dnf install portaudio"),
        ({"ID": "arch"}, "sudo pacman -S portaudio"),
        ({"ID": "opensuse-leap", "ID_LIKE": "suse"}, "sudo zypper install libportaudio2"),
        ({"ID": "alpine"}, "sudo apk add portaudio"),
        ({"ID": "unheard-of"}, "install PortAudio with this system's package manager"),
    ],
)
def test_each_linux_has_its_command(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], command: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert install_command("portaudio") == command


def test_a_linux_without_a_name_gets_a_description(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> dict[str, str]:
        raise OSError

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", missing)
    assert install_command("pulse").startswith("install the ALSA plugin for PulseAudio")


@pytest.mark.parametrize(("system", "word"), [("darwin", "brew"), ("win32", "pip install")])
def test_other_systems_have_their_command(
    monkeypatch: pytest.MonkeyPatch, system: str, word: str
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert word in install_command("portaudio")
    assert "privacy settings" in why_no_device()


def test_the_reason_for_no_device_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    monkeypatch.setattr(packages, "SOUND_NODES", tmp_path / "snd")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    assert why_no_device() == "connect one"
    (tmp_path / "run" / "pulse").mkdir(parents=True)
    (tmp_path / "run" / "pulse" / "native").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert why_no_device().endswith("sudo apt install libasound2-plugins")
    (tmp_path / "snd").mkdir()
    (tmp_path / "snd" / "pcmC0D0c").touch()
    assert "a sound server runs" in why_no_device()
    monkeypatch.setattr("os.access", lambda _path, _mode: False)
    assert "usermod -aG audio" in why_no_device()
