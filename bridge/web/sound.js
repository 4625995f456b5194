/** Microphone, loudspeaker and key tones of this page, and how loud both sides are. */
import { insecure, microphoneTrouble } from "./trouble.js";
import { tonesOf } from "./keys.js";

const TONE_S = 0.12;
const TONE_GAIN = 0.12;
const RESUME_MS = 1_000;

/** Open a microphone; "" is the browser's choice. Throws Trouble. */
export async function openMicrophone(deviceId = "") {
  if (!navigator.mediaDevices?.getUserMedia) throw insecure();
  const wanted = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  if (deviceId) wanted.deviceId = { exact: deviceId };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    return stream.getAudioTracks()[0];
  } catch (error) {
    throw microphoneTrouble(error);
  }
}

/** Devices as the browser tells them: [{kind, deviceId, label}]; labels are empty before the first permission. */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  return all.filter(({ kind, deviceId }) => kind !== "videoinput" && deviceId && deviceId !== "default" && deviceId !== "communications");
}

export class Sound {
  #context; #ears; #out; #user; #agent;

  /** `out` is the audio element that plays the agent; `onLevels({atMs, lengthMs, user, agent})` comes each 20 ms. */
  constructor(out, onLevels) {
    this.#out = out;
    this.onLevels = onLevels;
  }

  /** Whether levels are measured: not where the page came over plain http, nor without a running audio context. */
  get measures() {
    return Boolean(this.#ears) && this.#context.state === "running";
  }

  /** The audio clock, ms. */
  get nowMs() {
    return 1000 * (this.#context?.currentTime ?? 0);
  }

  /** Call it from a click: browsers let pages make sound only then. */
  async start() {
    this.#context = new AudioContext({ latencyHint: "interactive" });
    const context = this.#context;
    await Promise.race([context.resume(), new Promise((done) => setTimeout(done, RESUME_MS))]);
    document.addEventListener("pointerdown", () => context.state === "suspended" && context.resume(), { once: true });
    if (!context.audioWorklet) return;
    await context.audioWorklet.addModule("ears.js");
    const nothing = new GainNode(context, { gain: 0 });
    this.#ears = new AudioWorkletNode(context, "ears", { numberOfInputs: 2, numberOfOutputs: 1, channelCount: 1, channelCountMode: "explicit" });
    this.#ears.port.onmessage = ({ data }) => this.onLevels(data);
    this.#ears.connect(nothing).connect(context.destination); // only what leads to the destination is run
  }

  /** A track that says nothing, for calls without a microphone. */
  silence() {
    const destination = this.#context.createMediaStreamDestination();
    const nothing = new ConstantSourceNode(this.#context, { offset: 0 }); // without a source a track sends no packets
    nothing.connect(destination);
    nothing.start();
    return destination.stream.getAudioTracks()[0];
  }

  /** Measure the user's side of this track. */
  listenTo(track) {
    this.#user?.disconnect();
    this.#user = this.#measure(new MediaStream([track]), 0);
  }

  /** Play the agent, and measure. */
  play(stream) {
    this.#out.srcObject = stream;
    this.#out.play().catch(() => {}); // refused without a click; the next click plays
    this.#agent?.disconnect();
    this.#agent = this.#measure(stream, 1);
  }

  set deaf(deaf) {
    this.#out.muted = deaf;
  }

  /** Play the agent on this loudspeaker; "" is the browser's choice. */
  async choose(deviceId) {
    await this.#out.setSinkId?.(deviceId);
  }

  /** The two tones of a key, for the user's own ears. */
  beep(key) {
    const tones = tonesOf(key);
    if (!tones || !this.#context) return;
    const now = this.#context.currentTime;
    const gain = new GainNode(this.#context, { gain: 0 });
    gain.gain.setTargetAtTime(TONE_GAIN, now, 0.003);
    gain.gain.setTargetAtTime(0, now + TONE_S, 0.006);
    gain.connect(this.#context.destination);
    for (const frequency of tones) {
      const tone = new OscillatorNode(this.#context, { frequency });
      tone.connect(gain);
      tone.start(now);
      tone.stop(now + TONE_S + 0.05);
    }
  }

  close() {
    this.#out.srcObject = null;
    this.#context?.close();
    this.#context = this.#ears = undefined;
  }

  #measure(stream, input) {
    if (!this.#ears || !stream.getAudioTracks().length) return undefined;
    const source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    source.connect(this.#ears, 0, input);
    return source;
  }
}
