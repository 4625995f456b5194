"""Where other people's clients live: virtual environments and npm folders, made once and kept in the user's cache.

Their pins clash with ours, so none is installed beside us. What cannot be had (no network, no npm) skips the test with
the reason; a folder counts as made only when everything is in it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

LIMIT_S: Final = 240
_DONE: Final = "complete"


def python_with(*packages: str) -> Path:
    """A Python that has these packages, such as ``ultravox-client==0.1.0``; skips where they cannot be had."""
    folder = _folder("python", packages, sys.version)
    if not (folder / _DONE).exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            # Its own path is written into it, so it is made where it stays.
            shutil.rmtree(folder, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(folder)], Path(made))
            pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
            _run([*pip, "install", "--quiet", *packages], Path(made))
        (folder / _DONE).touch()
    return folder / "bin" / "python"


def node_modules(*packages: str) -> Path:
    """A folder in which npm has installed these packages, such as ``esbuild@0.25.0``."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, which is not installed")
    folder = _folder("node", packages)
    if not (folder / _DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text("{}")
        _run([npm, "install", "--no-audit", "--no-fund", "--silent", *packages], folder)
        (folder / _DONE).touch()
    return folder


def bundled(folder: Path, source: Path) -> str:
    """A script and all that it imports from `folder`, as one that a page can run."""
    entry = folder / source.name
    shutil.copyfile(source, entry)
    target = entry.with_suffix(".bundle.js")
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    _run([str(esbuild), str(entry), "--bundle", "--format=iife", f"--outfile={target}"], folder)
    return target.read_text()


def _folder(kind: str, packages: Sequence[str], more: str = "") -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(home) / "tipring-tests"
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        root = Path(tempfile.gettempdir()) / "tipring-tests"
        root.mkdir(parents=True, exist_ok=True)
    name = sha256("\n".join((*packages, more)).encode()).hexdigest()[:16]
    return root / f"{kind}-{name}"


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        pytest.skip(f"cannot be made here: {type(exc).__name__}")
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or [""]
        pytest.skip(f"cannot be made here: {last[0][:200]}")
