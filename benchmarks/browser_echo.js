// Runs in a page: a beep each second into a WebRTC call of an echo, and the same clock times the first sample that is back.
const WORKLET = `
const BEEP_S = 0.04, HZ = 1000, LOUD = 0.5, HEARD = 0.05;
class Beeper extends AudioWorkletProcessor {
  start = Math.ceil(currentFrame / sampleRate + 1) * sampleRate;
  waiting = false;
  process(inputs, outputs) {
    const heard = inputs[0][0], out = outputs[0][0];
    for (let at = 0; at < out.length; at++) {
      const frame = currentFrame + at;
      if (frame === this.start + sampleRate) this.start = frame;
      if (frame === this.start) {
        if (this.waiting) this.port.postMessage(null);
        this.waiting = true;
      }
      const since = frame - this.start;
      out[at] = since >= 0 && since < BEEP_S * sampleRate ? LOUD * Math.sin((2 * Math.PI * HZ * since) / sampleRate) : 0;
      if (this.waiting && heard && Math.abs(heard[at]) > HEARD) {
        this.waiting = false;
        this.port.postMessage((1000 * since) / sampleRate);
      }
    }
    return true;
  }
}
registerProcessor("beeper", Beeper);`;

window.echo = { trips: [] };

echo.offer = async () => {
  const context = (echo.context = new AudioContext({ latencyHint: "interactive" }));
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([WORKLET], { type: "text/javascript" })));
  const beeper = (echo.beeper = new AudioWorkletNode(context, "beeper"));
  const out = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  beeper.connect(out);
  beeper.connect(new GainNode(context, { gain: 0 })).connect(context.destination);
  beeper.port.onmessage = ({ data }) => echo.trips.push(data);
  const pc = (echo.pc = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" }));
  echo.channel = pc.createDataChannel("tipring");
  pc.addTransceiver(out.stream.getAudioTracks()[0], { direction: "sendrecv", streams: [out.stream] });
  pc.ontrack = ({ track }) => {
    const stream = new MediaStream([track]);
    echo.element = Object.assign(new Audio(), { muted: true, srcObject: stream });
    echo.element.play();
    new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(beeper);
  };
  await pc.setLocalDescription();
  await new Promise((done) => {
    pc.onicegatheringstatechange = () => pc.iceGatheringState === "complete" && done();
    setTimeout(done, 500);
  });
  return pc.localDescription.sdp;
};

echo.answer = (sdp) => echo.pc.setRemoteDescription({ type: "answer", sdp });

// Of the browser's own jitter buffer: seconds that all samples so far have waited together, and how many they are.
echo.playout = async () => {
  for (const each of (await echo.pc.getStats()).values()) {
    if (each.type === "inbound-rtp" && each.kind === "audio") return [each.jitterBufferDelay, each.jitterBufferEmittedCount];
  }
  return [0, 0];
};
