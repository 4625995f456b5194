"""Tipring as the gateway: `tipring serve` with a configuration file, its AI calls at an API elsewhere.

    python -m benchmarks.calls_per_core_parts.gateway_tipring AI_API_PORT

Everything is on that is on by default: signatures, tokens, ledger, marks, records, metrics. What is asked for and is
no default: 48 kHz on the AI side.
"""

import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.calls_per_core_parts.steering import count_tasks, obey, say
from bridge.config import load_config
from bridge.gateway.serve import Ready, serve

PUBLIC_URL: Final = "https://bridge.example.com"
AUTH_TOKEN: Final = "the token of the benchmark"
NUMBER: Final = "+15550000002"

CONFIG: Final = """
[server]
port = 0
api_keys = ["the key of the benchmark"]
public_url = "{public_url}"

[ai]
base_url = "http://127.0.0.1:{api_port}"

[carriers.twilio]
account_sid = "AC00000000000000000000000000000000"
auth_token = "{auth_token}"
api_url = "http://127.0.0.1:{api_port}"

[[routes]]
carrier = "twilio"
number = "{number}"

[routes.call]
systemPrompt = "You echo what you hear."

[routes.call.medium.serverWebSocket]
inputSampleRate = 48000
"""


def ready(up: Ready) -> None:
    """Say where it listens, and be steered from now on."""
    obey(count_tasks)
    say(port=int(up.url.rpartition(":")[2]))


def main() -> None:
    text = CONFIG.format(
        public_url=PUBLIC_URL, auth_token=AUTH_TOKEN, number=NUMBER, api_port=int(sys.argv[1])
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.toml"
        path.write_text(text)
        serve(load_config(path, {"recordings": folder}), ready)


if __name__ == "__main__":
    main()
