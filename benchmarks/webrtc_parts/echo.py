"""The way there and back: a page in Chromium beeps each second, hears its echo, and times it on its own sample clock.

The echo is an ear, a lane with a resampler, and a voice, in this process. Loss is made on the way in. Some 60 ms of the
round trip are the browser's: its packets, its jitter buffer, its blocks of audio.
"""

import asyncio
import json
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bridge.audio.lane import Lane
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer
from bridge.legs.webrtc.source_guard import GuardedProtocol
from bridge.legs.webrtc.voice import Voice
from tests.fakes.chromium import Page, connected, launched

OPTIONS = RtcOptions(loopback=True)
SETTLE_BEEPS = 3
PAGE = b"<!doctype html><title>echo</title><body>"
WORKLET = """
registerProcessor("echo", class extends AudioWorkletProcessor {
  constructor() { super(); this.sent = -1; this.armed = false; this.n = 0; }
  process(inputs, outputs) {
    const out = outputs[0][0], heard = inputs[0][0];
    for (let i = 0; i < out.length; i++) {
      const at = currentFrame + i, within = at % sampleRate;
      if (within === 0) { this.sent = at; this.armed = true; }
      out[i] = within < sampleRate * 0.04 ? 0.5 * Math.sin(2 * Math.PI * 1000 * within / sampleRate) : 0;
      if (this.armed && heard && Math.abs(heard[i]) > 0.05) {
        this.armed = false;
        this.port.postMessage(1000 * (at - this.sent) / sampleRate);
      }
    }
    return true;
  }
});
"""
SCRIPT = """
(async () => {
  const context = new AudioContext({ sampleRate: 48000 });
  const source = new Blob([%s], { type: "text/javascript" });
  await context.audioWorklet.addModule(URL.createObjectURL(source));
  await context.resume();
  const node = new AudioWorkletNode(context, "echo");
  window.taken = [];
  node.port.onmessage = (event) => window.taken.push(event.data);
  const out = context.createMediaStreamDestination();
  node.connect(out);
  const peer = window.peer = new RTCPeerConnection({ iceServers: [] });
  peer.addTrack(out.stream.getAudioTracks()[0], out.stream);
  peer.ontrack = ({ track }) => {
    const stream = new MediaStream([track]);
    const element = document.createElement("audio");
    element.muted = true; element.srcObject = stream; element.play();
    context.createMediaStreamSource(stream).connect(node);
  };
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise((done) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
    setTimeout(done, 500);
  });
  return peer.localDescription.sdp;
})()
"""


BUFFER = """
(async () => {
  let found = [0, 0];
  for (const [, one] of await peer.getStats()) {
    if (one.type === "inbound-rtp") found = [one.jitterBufferDelay, one.jitterBufferEmittedCount];
  }
  return found;
})()
"""


class Losses:
    """Loses RTP on its way to us."""

    def __init__(self) -> None:
        self.loss = 0.0
        self.once = False
        self._rng = random.Random(1)
        through = GuardedProtocol.datagram_received

        def received(protocol: GuardedProtocol, data: bytes | str, addr: tuple[Any, ...]) -> None:
            if not (isinstance(data, bytes) and self._loses(data)):
                through(protocol, data, addr)

        setattr(GuardedProtocol, "datagram_received", received)  # noqa: B010 - for this process only

    def _loses(self, data: bytes) -> bool:
        if not 128 <= data[0] < 192 or 192 <= data[1] < 224:
            return False
        once, self.once = self.once, False
        return once or self._rng.random() < self.loss


async def echo_trips(beeps: int, report: Callable[[str], None]) -> None:
    """Measure undisturbed, after one lost packet, and under 5 % loss."""
    losses = Losses()
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, launched(Path(folder)) as address:
        async with connected(address) as browser:
            page = await browser.page()
            await page.goto(f"http://127.0.0.1:{port}/")
            lane = Lane(OPTIONS.voice_hz, 1_000, "drop_oldest", source_hz=OPTIONS.ear_hz)
            voice, peer = Voice(lane), Peer(OPTIONS, name="echo")
            peer.hear(lane.push)
            peer.say(voice)
            offer = await page.run(SCRIPT % json.dumps(WORKLET))
            answer = await peer.answer(offer, needs_audio=True)
            said = json.dumps({"type": "answer", "sdp": answer.sdp})
            await page.run(f"peer.setRemoteDescription({said})")
            await _beeps(page, SETTLE_BEEPS)
            report(f"undisturbed        {await _trip(page, beeps)}")
            losses.once = True
            await _beeps(page, 2)
            report(f"after a lost packet {await _trip(page, beeps)}")
            losses.loss = 0.05
            await _beeps(page, 2)
            report(f"under 5 % loss     {await _trip(page, beeps)}")
            voice.close()
            await peer.close()
    server.close()


async def _trip(page: Page, beeps: int) -> str:
    before = await page.run(BUFFER)
    taken = await _beeps(page, beeps)
    after = await page.run(BUFFER)
    held_ms = 1000 * (after[0] - before[0]) / max(1, after[1] - before[1])
    return (
        f"median {median(taken):6.1f} ms  most {max(taken):6.1f} ms  ({len(taken)} beeps); "
        f"{held_ms:5.1f} ms of it in the browser's jitter buffer"
    )


async def _beeps(page: Page, n: int) -> list[float]:
    await page.run("taken.length = 0")
    await asyncio.sleep(n + 0.5)
    taken = await page.run("taken")
    return [float(ms) for ms in taken]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE)
    writer.write(head + PAGE)
    await writer.drain()
    writer.close()
