"""A client that uses nothing of ours completes a call on real sockets: a client tool and an interruption."""

import ast
import asyncio
from pathlib import Path

from bridge.brains.registry import Brains
from bridge.brains.script.load import script_from_data
from bridge.brains.speech.kit import SpeechKit
from bridge.gateway.listener import listening
from bridge.gateway.server import call_server
from tests.fakes import foreign_client
from tests.fakes.foreign_client import ForeignClient, create_call, request, tone

LONG = "I will now read a list of words until you stop me, one two three four five six seven eight."
SCRIPT = {
    "variables": {"number": ""},
    "tools": [{"name": "lookUp", "parameters": {"name": {"type": "string"}}}],
    "steps": [
        {"say": "Hello. Who calls?"},
        {"wait": {"expect": [{"phrases": ["it is anna"]}]}},
        {"tool": {"name": "lookUp", "arguments": {"name": "anna"}}},
        {"say": "You are customer {number}."},
        {"say": LONG},
        {"wait": {}},
        {"hang_up": "Goodbye."},
    ],
}
TOOL = {
    "temporaryTool": {
        "modelToolName": "lookUp",
        "description": "Looks a customer up.",
        "dynamicParameters": [
            {
                "name": "name",
                "location": "PARAMETER_LOCATION_BODY",
                "schema": {"type": "string"},
                "required": True,
            }
        ],
        "client": {},
    }
}


async def anna(client: ForeignClient) -> None:
    """Types a name, then talks over the agent."""
    await client.until(type="transcript", role="agent", final=True)
    await client.send(type="user_text_message", text="It is Anna")
    await client.until(type="client_tool_invocation")
    await client.until(type="transcript", delta=" list")
    client.say(tone(0.6))
    await client.until(type="playback_clear_buffer")


async def test_foreign_client_completes_a_call_with_a_tool_and_an_interruption() -> None:
    kit = SpeechKit.load(ear="off", vad="energy")
    brains = Brains(kit)
    brains.add_script("anna", script_from_data(SCRIPT, source="anna"))
    client = ForeignClient({"lookUp": '{"number": 7}'})
    try:
        async with (
            call_server(brains, recordings=None) as server,
            listening(server, host="127.0.0.1", port=0) as port,
        ):
            base = f"http://127.0.0.1:{port}"
            medium = {"serverWebSocket": {"inputSampleRate": 8_000, "clientBufferSizeMs": 30_000}}
            body = {"model": "tipring/script:anna", "medium": medium, "selectedTools": [TOOL]}
            created = await asyncio.to_thread(create_call, base, body)

            code = await client.run(created["joinUrl"], anna)

            call = await asyncio.to_thread(request, "GET", f"{base}/api/calls/{created['callId']}")
    finally:
        await kit.close()

    assert code == 1000
    assert call["endReason"] == "agent_hangup"
    said = [text for role, text in client.finals() if role == "agent" and text]
    assert said[:2] == ["Hello. Who calls?", "You are customer 7."]
    assert said[-1] == "Goodbye."
    assert said[2] != LONG
    assert LONG.startswith(said[2])
    assert said[2].endswith(("list", "of", "words"))
    assert [m["type"] for m in client.log][:2] == ["call_started", "state"]


def test_foreign_client_imports_nothing_of_ours() -> None:
    tree = ast.parse(Path(foreign_client.__file__).read_text())

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported.isdisjoint({"bridge", "bridge_codecs", "tests", "picows"})
