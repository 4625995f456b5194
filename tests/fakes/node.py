"""The page's own modules run outside a page, by Node.js."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

WEB: Final = Path(__file__).parents[2] / "bridge" / "web"
LIMIT_S: Final = 20


def run_module(module: str, script: str) -> Any:
    """What `script` returns, with everything that a module of the page exports as its names; skips without Node.js.

    The script is the body of an async function and gets the exports as `m`.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs Node.js, which is not installed")
    source = (
        f"const m = await import({json.dumps((WEB / module).as_uri())});\n"
        f"const value = await (async () => {{ {script} }})();\n"
        "console.log(JSON.stringify(value ?? null));"
    )
    done = subprocess.run(
        [node, "--input-type=module", "--no-warnings", "-"],
        input=source,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
