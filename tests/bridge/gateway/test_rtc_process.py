"""`tipring serve` as its users run it, with calls over WebRTC."""

import signal
from pathlib import Path

from tests.fakes.free_ports import free_udp_ports
from tests.fakes.rtc_served import until
from tests.fakes.serve_process import serve_process
from tests.fakes.whip_client import whip_client

KEY = "a-key-for-tests"
PORTS = free_udp_ports(100)
CONFIG = f'[webrtc]\nport_min = {PORTS[0]}\nport_max = {PORTS[-1]}\naddresses = ["127.0.0.1"]\n'


async def test_a_call_without_a_medium_is_served_over_webrtc_counted_and_drained(
    tmp_path: Path,
) -> None:
    async with (
        serve_process(tmp_path, f'api_keys = ["{KEY}"]\n{CONFIG}') as serve,
        serve.http() as http,
    ):
        http.headers["X-API-Key"] = KEY
        made = await http.post("/api/calls", json={"model": "tipring/echo"})
        assert made.status_code == 201, made.text
        call = made.json()
        assert call["medium"] == {"webRtc": {}}
        assert call["joinUrl"].startswith(f"ws://127.0.0.1:{serve.port}/calls/{call['callId']}/")
        assert call["joinUrl"].endswith("/webrtc")

        async with whip_client(call, serve.port) as client:
            answer = await client.join(http)
            ports = {
                int(line.split()[5])
                for line in answer.text.splitlines()
                if line.startswith("a=candidate")
            }
            assert ports <= set(PORTS)
            await client.message("call_started")
            client.speak(1)
            await client.heard()  # its own voice

            page = (await http.get("/metrics")).text
            assert "tipring_webrtc_calls 1.0" in page
            assert "tipring_served_calls 1.0" in page
            serve.signal(signal.SIGTERM)  # the call goes on until it ends
            client.speak(1)
            n_loud = len(client.loud_s)
            await until(lambda: len(client.loud_s) > n_loud + 10)
            assert (await http.delete(client.url, headers=client.headers)).status_code == 200
        assert await serve.ended(10) == 0
        assert call["joinUrl"].split("/")[-2] not in serve.log
