// A call with the vendor's SDK for browsers, unmodified: what happens is kept in `window.told`.

import { UltravoxSession } from "ultravox-client";

const told = [];
window.told = told;

function tell(event, more = {}) {
  told.push({ event, at: performance.now(), ...more });
}

// Every peer connection that the SDK makes, to look into its statistics.
const connections = [];
const Original = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Original {
  constructor(...given) {
    super(...given);
    connections.push(this);
  }
};

/** What getStats says of the audio that comes in: energy so far, level now, packets, seconds. */
window.heard = async () => {
  let best = null;
  for (const connection of connections) {
    if (connection.connectionState === "closed") continue;
    for (const each of (await connection.getStats()).values()) {
      if (each.type === "inbound-rtp" && each.kind === "audio") {
        const now = {
          level: each.audioLevel ?? 0,
          energy: each.totalAudioEnergy ?? 0,
          packets: each.packetsReceived ?? 0,
          seconds: each.totalSamplesDuration ?? 0,
        };
        if (!best || now.packets > best.packets) best = now;
      }
    }
  }
  return best;
};

// The microphone: a tone of 300 Hz while `speak(true)`, else silence. Without a sound card Firefox never runs an
// AudioContext; it has its own tone.
if (!navigator.userAgent.includes("Firefox")) {
  const context = new AudioContext({ sampleRate: 48000 });
  const gain = new GainNode(context, { gain: 0 });
  const destination = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  const oscillator = new OscillatorNode(context, { frequency: 300 });
  oscillator.connect(gain).connect(destination);
  oscillator.start();
  navigator.mediaDevices.getUserMedia = async () => {
    await context.resume();
    return destination.stream;
  };
  window.speak = (on) => {
    gain.gain.value = on ? 0.5 : 0;
  };
}

window.join = (url) => {
  const session = new UltravoxSession();
  window.session = session;
  session.addEventListener("status", () => tell("status", { status: session.status }));
  session.addEventListener("transcripts", () =>
    tell("transcripts", {
      all: session.transcripts.map((each) => [each.speaker, each.text, each.isFinal, each.medium]),
    }),
  );
  session.addEventListener("data_message", (event) => tell("message", { message: event.message }));
  session.registerToolImplementation("look", (parameters) => {
    tell("tool", { parameters });
    return JSON.stringify({ seen: "a blue door" });
  });
  tell("joining");
  session.joinCall(url, "tests");
};
