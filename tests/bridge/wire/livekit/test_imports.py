"""What LiveKit signalling loads, and what the way to it does not."""

import subprocess
import sys

import pytest

LOADED = """
import importlib, pkgutil, sys
for name in {names}:
    package = importlib.import_module(name)
    for module in pkgutil.iter_modules(getattr(package, "__path__", ())):
        importlib.import_module(f"{{name}}.{{module.name}}")
print(sorted({{"livekit.rtc", "livekit.protocol", "aiortc", "sounddevice"}} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("names", "loaded"),
    [
        (["bridge.wire.livekit"], ["livekit.protocol"]),
        (["bridge.legs.agent", "bridge.gateway.phone.ai_side"], []),
    ],
)
def test_only_the_protobufs_are_loaded_and_only_where_they_are_used(
    names: list[str], loaded: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(names=names)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout.strip(), done.returncode) == (str(loaded), 0), done.stderr
