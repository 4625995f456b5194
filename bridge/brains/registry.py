"""The models that a call may ask for, and the brain that serves each of them.

The vendor's names are accepted and served by the shipped receptionist (reference ultravox.md
7.13, with their older `fixie-ai/` forms); `tipring/` names our own brains.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bridge.brains.base import Brain
from bridge.brains.echo import EchoBrain
from bridge.brains.script.compile import compile_script
from bridge.brains.script.load import SUFFIXES, load_script
from bridge.brains.script.model import Script
from bridge.brains.script.program import Program
from bridge.brains.scripted import ScriptedBrain
from bridge.brains.speech.kit import SpeechKit
from bridge.brains.speech.vad import Vad
from bridge.brains.tone import ToneBrain
from bridge.errors import ConfigError, UsageError, did_you_mean

VENDOR_MODELS: Final = (
    "ultravox-v0.7",
    "ultravox-v0.6",
    "ultravox-v0.6-llama3.3-70b",
    "ultravox-v0.6-gemma3-27b",
)
DEFAULT_MODEL: Final = VENDOR_MODELS[0]
ECHO: Final = "tipring/echo"
TONE: Final = "tipring/tone"
SCRIPT: Final = "tipring/script:"
DEFAULT_SCRIPT: Final = "receptionist"

_SHIPPED: Final = Path(__file__).parents[1] / "assets" / "scripts"
_VENDOR_FORMS: Final = (
    *VENDOR_MODELS,
    "fixie-ai/ultravox",
    *(f"fixie-ai/{name}" for name in VENDOR_MODELS),
)
_SCRIPT_NAME: Final = re.compile(r"[a-z0-9_-]{1,64}")


class Brains:
    """All brains of one service, made for one call each; voice, ear and scripts are shared."""

    def __init__(self, speech: SpeechKit, scripts_dir: Path | None = None) -> None:
        """`scripts_dir` holds further scripts as NAME.toml or NAME.json; they come before ours.

        Raises: ConfigError if the folder cannot be read.
        """
        self._speech = speech
        self._files = _script_files(_SHIPPED)
        self._programs: dict[str, Program] = {}
        if scripts_dir is not None:
            self._files |= _script_files(scripts_dir)

    def names(self) -> Sequence[str]:
        """Every model name that `make` knows, the default first."""
        scripts = sorted(self._files.keys() | self._programs.keys())
        return (*_VENDOR_FORMS, ECHO, TONE, *(SCRIPT + name for name in scripts))

    def add_script(self, name: str, script: Script) -> None:
        """Make a script known as `tipring/script:NAME`; it takes the place of one so named.

        Raises: UsageError if the name is none; ConfigError if the script is wrong.
        """
        self._programs[_checked(name)] = compile_script(script)

    def make(self, model: str, *, seed: str, live_hz: int) -> Brain:  # noqa: ARG002 - ours leave nothing to chance
        """A brain for one call; a live one hears and speaks at `live_hz`.

        Raises: UsageError for a model that nobody knows; ConfigError if its script is wrong.
        """
        if model == ECHO:
            return EchoBrain(live_hz)
        if model == TONE:
            return ToneBrain()
        if model in _VENDOR_FORMS:
            return self._scripted(DEFAULT_SCRIPT)
        if model.startswith(SCRIPT):
            return self._scripted(model.removeprefix(SCRIPT))
        hint = did_you_mean(model, list(self.names()))
        raise UsageError(f"there is no model {model[:80]!r}{hint}")

    def vad(self) -> Vad:
        """Voice activity detection for one call."""
        return self._speech.vad()

    def _scripted(self, name: str) -> Brain:
        return ScriptedBrain(self._program(_checked(name)), self._speech.voice, self._speech.ear)

    def _program(self, name: str) -> Program:
        if name not in self._programs:
            if name not in self._files:
                known = sorted(self._files.keys() | self._programs.keys())
                raise UsageError(f"there is no script {name!r}{did_you_mean(name, known)}")
            self._programs[name] = compile_script(load_script(self._files[name]))
        return self._programs[name]


def shipped_script(name: str) -> Script:
    """One of the scripts that come with Tipring.

    Raises: UsageError if there is none of that name.
    """
    files = _script_files(_SHIPPED)
    if (path := files.get(name)) is None:
        raise UsageError(f"there is no script {name[:80]!r}{did_you_mean(name, sorted(files))}")
    return load_script(path)


def script_files(scripts_dir: Path | None = None) -> dict[str, Path]:
    """The file of each model that follows a script, by the model's name.

    Raises: ConfigError if the folder cannot be read.
    """
    files = _script_files(_SHIPPED) | ({} if scripts_dir is None else _script_files(scripts_dir))
    vendors = dict.fromkeys(_VENDOR_FORMS, files[DEFAULT_SCRIPT])
    return vendors | {SCRIPT + name: file for name, file in files.items()}


def script_name(path: Path) -> str:
    """The name under which a script file is known, made of its file name."""
    return re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-")[:64] or "script"


def _script_files(folder: Path) -> dict[str, Path]:
    try:
        files = sorted(folder.iterdir())
    except OSError as exc:
        raise ConfigError(f"{folder}: cannot be read: {exc.strerror or exc}") from exc
    return {
        file.stem: file
        for file in files
        if file.suffix in SUFFIXES and _SCRIPT_NAME.fullmatch(file.stem)
    }


def _checked(name: str) -> str:
    if not _SCRIPT_NAME.fullmatch(name):
        raise UsageError(
            f"{name[:80]!r} is no script name: small letters, digits, - and _ only, at most 64"
        )
    return name
