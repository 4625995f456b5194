"""The softphone page against `tipring serve`, in headless Chromium with a recorded caller as its microphone.

What is heard is measured where it is heard: the agent in the page, the caller in the server's recording.
"""

import asyncio
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile

from bridge.legs.webrtc.absence import GRACE_S
from bridge_codecs.pcm import Int16, to_float32, to_int16
from bridge_codecs.resample import Resampler
from tests.fakes.chromium import Page, connected, launched
from tests.fakes.lossy_relay import Relay, Weather, relay
from tests.fakes.serve_process import EMBEDDED, ServeProcess, serve_process
from tests.fakes.softphone import place_call

pytest.importorskip("aiortc", reason="needs the extra webrtc")

RECORDING: Final = (
    Path(__file__).parents[2] / "bridge" / "assets" / "recordings" / "appointment.flac"
)
MIC_HZ: Final = 48_000
KEY: Final = "CANARY-key-of-the-softphone"
WAIT_S: Final = 3.0
"""Before the caller speaks: the agent is then in the middle of its greeting."""
SCRIPT: Final = """
description = "The front desk."

[variables]
reference = ""

[[tools]]
name = "bookAppointment"
answer = '{"reference": "unset"}'
parameters.day = { type = "string" }

[[steps]]
say = "This is the front desk. I read a long greeting that nobody ever lets me read to its very end."

[[steps]]
wait.expect = [ { phrases = ["i would like to book an appointment"], goto = "book" } ]

[[steps]]
label = "book"
tool.name = "bookAppointment"
tool.arguments = { day = "Monday" }
tool.on = [ { has = ["reference"], say = "Your reference is {reference}." } ]

[[steps]]
wait = "any"
"""


HELD_EXCHANGES: Final = """
window.held = [];
window.pass = [];
const own = fetch.bind(window);
const hold = (kind, sdp) => new Promise((done) => {
  held.push({ kind, sdp, number: pass.push(done) - 1 });
});
window.fetch = async (target, init = {}) => {
  if (init.method !== "POST" || !String(target).includes("/whip")) return own(target, init);
  const response = await own(target, { ...init, body: await hold("offer", init.body) });
  if (!response.ok) return response;
  const { status, headers } = response;
  return new Response(await hold("answer", await response.text()), { status, headers });
};
"""
"""Offers and answers wait until somebody has rewritten them."""


CONNECTIONS: Final = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); connections.push(this); }
};
window.sent = async () => {
  const reports = [...(await connections.at(-1).getStats()).values()];
  return reports.find(({ type }) => type === "outbound-rtp")?.packetsSent ?? 0;
};
"""
"""Tells how many packets the newest connection has sent."""
SILENT_CALL_S: Final = 4


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("softphone")
    microphone = folder / "microphone.wav"
    soundfile.write(microphone, caller(), MIC_HZ, subtype="PCM_16")
    with launched(folder, microphone=microphone) as address:
        yield address


def caller() -> Int16:
    """Silence, then a caller who wants an appointment."""
    said, rate_hz = soundfile.read(RECORDING, dtype="int16")
    resampler = Resampler(rate_hz, MIC_HZ)
    speech = np.concatenate((resampler.push(said), resampler.flush()))
    loud = to_int16(np.clip(4 * to_float32(speech), -1, 1))
    return np.concatenate((np.zeros(round(WAIT_S * MIC_HZ), np.int16), loud))


async def level(page: Page, name: str) -> float:
    return float(await page.run(f"document.getElementById('{name}').getAttribute('aria-valuenow')"))


async def recorded(service: ServeProcess, page: Page, folder: Path) -> tuple[Int16, int]:
    """The recording that the page has saved; caller left, agent right."""
    await page.download_to(folder)
    await page.click("#download")
    for _ in range(500):
        found = [file for file in folder.glob("tipring-*.wav") if file.stat().st_size]  # noqa: ASYNC240
        if found:
            content = await asyncio.to_thread(found[0].read_bytes)
            samples, rate_hz = soundfile.read(BytesIO(content), dtype="int16")
            return samples, rate_hz
        await asyncio.sleep(0.02)
    raise AssertionError(f"no recording came: {service.log}")


def active_s(samples: Int16, rate_hz: int) -> float:
    """For how long it is louder than -50 dBFS."""
    frames = samples[: samples.size // 160 * 160].reshape(-1, 160).astype(np.float64)
    rms = np.sqrt(np.mean(frames**2, axis=1))
    return float(np.sum(rms > 32_768 * 10 ** (-50 / 20)) * 160 / rate_hz)


async def test_a_call_from_the_page_is_heard_interrupted_served_by_hand_and_recorded(
    chromium: str, tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "desk.toml").write_text(SCRIPT)
    config = f"scripts = {json.dumps(str(scripts))}\n"
    async with (
        serve_process(tmp_path, config, speech=EMBEDDED) as service,
        connected(chromium) as browser,
    ):
        page = await browser.page()
        await page.goto(service.url)
        await page.until("document.querySelector('input[value=\"tipring/script:desk\"]')")
        await page.run("document.querySelector('input[value=\"tipring/script:desk\"]').click()")
        await page.run("document.getElementById('record').click()")
        await place_call(page)

        # The agent is heard in the page, and its words are shown as it speaks.
        await page.until(
            "Number(document.getElementById('agent-level').getAttribute('aria-valuenow')) > -35"
        )
        await page.until("document.querySelector('.said.agent.open')")
        # The caller breaks in; what was not heard is struck through.
        unheard = await page.until("document.querySelector('.said.agent del')?.textContent")
        assert "to its very end." in unheard
        # The caller was heard, and the tool waits for an answer.
        await page.until("document.querySelector('.said.user')")
        said = await page.run("document.querySelector('.said.user p').textContent")
        assert said.lower().startswith("i would like to book an appointment")
        await page.until("document.querySelector('form.tool')")
        await page.press("a")
        await page.run("document.activeElement.select()")
        await page.write('{"reference": "seven"}')
        await page.run("document.activeElement.form.requestSubmit()")
        await page.until(
            "[...document.querySelectorAll('.said.agent p')].at(-1).textContent.includes('seven')"
        )
        await page.until("document.getElementById('state').dataset.state === 'listening'")
        assert (
            int(await page.run("parseInt(document.querySelector('#turns li').textContent)")) > 300
        )
        await page.press("H", shift=True)
        await page.until("document.body.dataset.phase === 'ended'")

        samples, rate_hz = await recorded(service, page, tmp_path)
        assert active_s(samples[:, 0], rate_hz) > 1.0
        assert active_s(samples[:, 1], rate_hz) > 3.0
        async with service.http() as http:
            (call,) = (await http.get("/api/calls")).json()["results"]
            messages = (await http.get(f"/api/calls/{call['callId']}/messages")).json()["results"]
        assert (call["endReason"], call["clientVersion"]) == ("hangup", "softphone")
        results = [each for each in messages if each["role"] == "MESSAGE_ROLE_TOOL_RESULT"]
        assert [each["text"] for each in results] == ['{"reference": "seven"}']
        # A recording that is asked for within the call's last moment is asked for again, a call of a busy machine too.
        again = ("425 (Too Early)", "503 (Service Unavailable)")
        assert [each for each in page.complaints if not any(why in each for why in again)] == []


async def test_where_keys_are_set_the_page_needs_one_and_a_join_url_needs_none(
    chromium: str, tmp_path: Path
) -> None:
    heard = "Number(document.getElementById('agent-level').getAttribute('aria-valuenow')) > -35"
    async with (
        serve_process(tmp_path, f"api_keys = [{json.dumps(KEY)}]\n") as service,
        connected(chromium) as browser,
    ):
        page = await browser.page()
        await page.goto(service.url)
        await page.until("!document.getElementById('key-box').hidden")
        await page.write(KEY)
        await place_call(page)
        await page.until(heard)
        await page.press("H", shift=True)

        async with service.http() as http:
            body = {"model": "tipring/tone", "medium": {"webRtc": {}}}
            made = await http.post("/api/calls", json=body, headers={"X-API-Key": KEY})
            while made.status_code == 503:
                await asyncio.sleep(1)
                made = await http.post("/api/calls", json=body, headers={"X-API-Key": KEY})
        page = await browser.page()
        await page.goto(service.url)
        await page.click(".tabs label:last-child")
        await page.write(made.json()["joinUrl"])
        await place_call(page)
        await page.until(heard)
        assert KEY not in service.log


async def test_a_call_without_a_microphone_lasts_and_sends_silence_all_the_time(
    chromium: str, tmp_path: Path
) -> None:
    async with serve_process(tmp_path) as service, connected(chromium) as browser:
        page = await browser.page()
        await page.before_each(CONNECTIONS)
        await page.goto(service.url)
        await page.until("document.body.dataset.ready")
        await page.run("document.getElementById('no-mic').click()")
        await place_call(page)
        await page.until(f"sent().then((n) => n > {50 * SILENT_CALL_S})", 3 * SILENT_CALL_S)
        assert await page.run("connections.length") == 1
        assert await page.run("document.body.dataset.phase") == "live"


@pytest.mark.slow
async def test_a_call_outlives_a_network_that_is_gone_for_a_while(
    chromium: str, tmp_path: Path
) -> None:
    async with (
        serve_process(tmp_path) as service,
        connected(chromium) as browser,
        relay(Weather()) as between,
    ):
        page = await browser.page()
        await page.before_each(HELD_EXCHANGES)
        await page.goto(service.url)
        await page.until("document.body.dataset.ready")
        mediator = asyncio.create_task(mediate(page, between), name="mediate")
        try:
            await place_call(page)
            await page.until("document.getElementById('state').dataset.state !== 'connecting'")
            between.cut = True
            await page.until("document.getElementById('state').dataset.state === 'lost'", 30)
            between.cut = False
            await page.until("document.getElementById('state').dataset.state !== 'lost'", 20)
            await page.press("t")
            await page.write("still there")
            await page.press("Enter")
            await page.until(
                "[...document.querySelectorAll('.said.user p')].at(-1)?.textContent === 'still there'"
            )
            assert await page.run("document.body.dataset.phase") == "live"
        finally:
            mediator.cancel()
            await asyncio.gather(mediator, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.parametrize("nap_s", [6.5, 14.0])
async def test_a_call_outlives_a_machine_that_sleeps_for_a_while(
    chromium: str, tmp_path: Path, nap_s: float
) -> None:
    async with serve_process(tmp_path) as service, connected(chromium) as browser:
        page = await browser.page()
        await page.before_each(CONNECTIONS)
        await page.goto(service.url)
        await page.until("document.body.dataset.ready")
        await place_call(page)
        await page.until("sent().then((n) => n > 50)")
        await browser.sleep(nap_s)
        await asyncio.sleep(GRACE_S + 1)  # that it is lost for good would show by then
        await page.press("t")
        await page.write("still there")
        await page.press("Enter")
        await page.until(
            "[...document.querySelectorAll('.said.user p')].at(-1)?.textContent === 'still there'"
        )
        assert await page.run("document.body.dataset.phase") == "live"


async def mediate(page: Page, between: Relay) -> None:
    """Rewrite what page and server exchange, so that the relay stands between them."""
    while True:
        held = await page.run("held.shift() ?? null")
        if held is not None:
            hide = between.hide_browser if held["kind"] == "offer" else between.hide_server
            await page.run(f"pass[{held['number']}]({json.dumps(hide(held['sdp']))})")
        await asyncio.sleep(0.02)
