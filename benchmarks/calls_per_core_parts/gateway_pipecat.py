"""Pipecat as the gateway: its Twilio serializer, its FastAPI transport, its Ultravox service, and nothing between them.

    <environment of Pipecat>/bin/python -m benchmarks.calls_per_core_parts.gateway_pipecat AI_API_PORT [--tuned]

Written after Pipecat's own telephony examples and run as its own runner does, on uvicorn and asyncio; no voice activity
detection, no context, metrics and its log off. With ``--tuned`` everything else is off that can be, and uvloop takes
asyncio's place. Runs in an environment of its own: only Pipecat and the standard library are imported here.
"""

import asyncio
import json
import sys
import urllib.request
from collections.abc import Mapping
from typing import Any, Final, Literal

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.ultravox.llm import JoinUrlInputParams, UltravoxRealtimeLLMService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

from benchmarks.calls_per_core_parts.steering import count_tasks, obey, say

HOST: Final = "127.0.0.1"
LINE_HZ: Final = 8_000
TUNED: Final = {"enable_turn_tracking": False, "enable_rtvi": False, "idle_timeout_secs": None}


def create_call(api_port: int) -> str:
    """Create an AI call; returns its join URL."""
    url = f"http://{HOST}:{api_port}/api/calls"
    with urllib.request.urlopen(urllib.request.Request(url, b"{}"), timeout=5) as answer:
        return str(json.load(answer)["joinUrl"])


async def bridge(websocket: WebSocket, join_url: str, options: Mapping[str, Any]) -> None:
    """One call."""
    _, call = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=call["stream_id"],
        call_sid=call["call_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            add_wav_header=False,
            serializer=serializer,
        ),
    )
    llm = UltravoxRealtimeLLMService(params=JoinUrlInputParams(join_url=join_url))
    worker = PipelineWorker(
        Pipeline([transport.input(), llm, transport.output()]),
        params=PipelineParams(audio_in_sample_rate=LINE_HZ, audio_out_sample_rate=LINE_HZ),
        **options,
    )

    @transport.event_handler("on_client_disconnected")  # type: ignore[untyped-decorator]
    async def on_client_disconnected(_transport: object, _client: object) -> None:
        await worker.cancel()

    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


def main() -> None:
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    api_port, tuned = int(sys.argv[1]), "--tuned" in sys.argv
    options = TUNED if tuned else {}
    app = FastAPI()

    @app.websocket("/ws")
    async def media(websocket: WebSocket) -> None:
        await websocket.accept()
        await bridge(websocket, await asyncio.to_thread(create_call, api_port), options)

    class Server(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            obey(count_tasks)
            say(port=self.servers[0].sockets[0].getsockname()[1])

    loop: Literal["uvloop", "asyncio"] = "uvloop" if tuned else "asyncio"
    Server(uvicorn.Config(app, HOST, 0, log_level="error", loop=loop)).run()


if __name__ == "__main__":
    main()
