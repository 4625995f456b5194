"""Pipecat's own virtual environment, under the user's cache folder: it is no dependency of ours."""

import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Final

WANTED: Final = ("pipecat-ai[runner,ultravox,websocket]", "uvloop")


def folder() -> Path:
    """Where the environment stands, or would."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "tipring" / "pipecat"


def python() -> Path:
    """Its interpreter."""
    return folder() / "bin" / "python"


def set_up() -> None:
    """Make the environment and install the newest Pipecat into it."""
    if not python().exists():
        venv.create(folder(), with_pip=True)
    subprocess.run([python(), "-m", "pip", "install", "-q", "--upgrade", *WANTED], check=True)


def version() -> str | None:
    """Which Pipecat is installed; None if there is none that can be imported."""
    if not python().exists():
        return None
    code = (
        "import importlib.metadata as m, pipecat.services.ultravox.llm, uvicorn;"
        "print(m.version('pipecat-ai'))"
    )
    done = subprocess.run([python(), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None if done.returncode == 0 else None


def why_not() -> str:
    """What to tell a user who has none."""
    name = Path(sys.executable).name
    return f"Pipecat is not installed: {name} -m benchmarks.calls_per_core --setup-pipecat"
