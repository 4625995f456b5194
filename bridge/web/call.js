/**
 * One call: connection, sound, conversation and turns put together. Knows no page.
 *
 * Events: "entries" (detail: those of the conversation that changed), "state" (detail: the agent's, or "lost"),
 * "levels", "turn", "cut", "trouble" (detail: a Trouble), "ended" (detail: a sentence).
 */
import { Connection, readJoinUrl } from "./connection.js";
import { Conversation, cutByUser } from "./conversation.js";
import { digitsMessage } from "./keys.js";
import { Sound, openMicrophone } from "./sound.js";
import { Turns } from "./turns.js";
import { Trouble } from "./trouble.js";

export const TOOL_LIMIT_MS = 40_000; // the longest that the API lets a tool take
const HEARD_BACK_MS = 60; // after an answer is heard, before "cut" is drawn where it happened
const REASONS = {
  hangup: "You hung up.",
  agent_hangup: "The agent hung up.",
  timeout: "The call has lasted as long as it may.",
  unjoined: "The call was not joined in time.",
  connection_error: "The connection broke.",
  system_error: "The agent failed; the server's log says why.",
};

/** What a tool's deadline is set to, so that people have time to answer. */
export function patient(tools) {
  return tools.map((tool) => tool.temporaryTool
    ? { ...tool, temporaryTool: { ...tool.temporaryTool, timeout: `${TOOL_LIMIT_MS / 1000}s` } } : tool);
}

export class Call extends EventTarget {
  conversation = new Conversation();
  turns = new Turns();
  callId = null;
  recorded = false;
  #api; #sound; #connection; #track; #medium = "voice"; #muted = false; #startedMs = 0; #over = false;

  constructor(api, out) {
    super();
    this.#api = api;
    this.#sound = new Sound(out, (levels) => this.#hear(levels));
  }

  /** Make the call that `choice` asks for and join it. Throws Trouble. */
  async start(choice) {
    try {
      await this.#sound.start();
      this.#track = choice.noMic ? this.#sound.silence() : await openMicrophone(choice.microphone);
      if (choice.speaker) await this.#sound.choose(choice.speaker).catch(() => {});
      const join = choice.join ?? (await this.#make(choice));
      this.callId = join.callId;
      await this.#connect(join);
    } catch (trouble) {
      this.#close();
      throw trouble;
    }
    if (!choice.noMic) this.#use(this.#track);
    this.#startedMs = performance.now();
  }

  get lengthMs() {
    return this.#startedMs ? performance.now() - this.#startedMs : 0;
  }

  get roundTripMs() {
    return this.#connection?.roundTripMs ?? null;
  }

  get measures() {
    return this.#sound.measures;
  }

  /** Send a typed message; false when there is no connection at the moment. */
  type(text) {
    const sent = this.#connection.send({ type: "user_text_message", text });
    if (sent) this.turns.typed(this.#sound.nowMs);
    return sent;
  }

  /** Keys that were pressed together. */
  digits(digits) {
    if (this.#connection.send(digitsMessage(digits))) this.turns.typed(this.#sound.nowMs);
  }

  beep(key) {
    this.#sound.beep(key);
  }

  /** Answer a tool call: "answered" or "failed". */
  answer(message, state, result) {
    if (!this.#connection.send(message)) return;
    this.#changed(this.conversation.settle(message.invocationId, state, result));
  }

  set medium(medium) {
    this.#medium = medium;
    this.#connection.send({ type: "set_output_medium", medium });
  }

  set muted(muted) {
    this.#muted = muted;
    this.#track.enabled = !muted;
  }

  set deaf(deaf) {
    this.#sound.deaf = deaf;
  }

  hangUp() {
    if (this.#over) return;
    this.#connection?.hangUp();
    this.#end(REASONS.hangup);
  }

  async #make({ agent, record }) {
    const made = await this.#api.create({ model: agent.model, tools: patient(agent.tools), record, medium: this.#medium });
    this.recorded = Boolean(record);
    const join = readJoinUrl(made.joinUrl ?? "");
    if (join?.medium !== "webrtc") throw new Trouble("The server makes no WebRTC calls", "Its WebRTC part is not installed or not switched on.");
    return join;
  }

  async #connect({ callId, token, base }) {
    const connection = new Connection({ callId, token, base });
    this.#connection = connection;
    connection.addEventListener("message", ({ detail }) => this.#take(detail));
    connection.addEventListener("stream", ({ detail }) => this.#sound.play(detail));
    connection.addEventListener("lost", () => this.#tell("state", "lost"));
    connection.addEventListener("back", () => this.#tell("state", "back"));
    connection.addEventListener("over", () => this.#ask());
    await connection.open(this.#track);
  }

  #use(track) {
    track.enabled = !this.#muted;
    this.#sound.listenTo(track);
    track.onended = () => this.#microphoneGone();
  }

  async #microphoneGone() {
    if (this.#over) return;
    try {
      this.#track = await openMicrophone();
      await this.#connection.use(this.#track);
      this.#use(this.#track);
      this.#changed(this.conversation.note("The microphone is gone; another one is used now.", { warm: true }));
    } catch (trouble) {
      this.#tell("trouble", new Trouble("The microphone is gone", "The agent does not hear you any more. You can type."));
    }
  }

  #take(message) {
    if (this.#over) return;
    const atMs = this.lengthMs;
    if (message.type === "state") this.#tell("state", String(message.state));
    if (message.type === "call_event") this.#event(message);
    this.#changed(this.conversation.take(message, atMs));
  }

  #event({ eventType, severity, text, extras }) {
    if (eventType === "agent_interrupted" && cutByUser(extras)) setTimeout(() => this.#tell("cut", this.#sound.nowMs), HEARD_BACK_MS);
    if (severity === "warning" || severity === "error") this.#changed(this.conversation.note(sentence(String(text)), { warm: true }));
  }

  #hear(levels) {
    this.#tell("levels", levels);
    const user = this.#muted ? -100 : levels.user;
    const turn = this.turns.feed(levels.atMs, levels.lengthMs, user, levels.agent);
    if (turn) this.#tell("turn", turn);
  }

  /** The server ended the call, or is gone: find out why, if it says. */
  async #ask() {
    let why = "The call is over.";
    try {
      const { endReason, recordingEnabled } = await this.#api.call(this.callId);
      why = REASONS[endReason] ?? why;
      if (!endReason) why = "The connection broke; the server ends the call if nobody joins again.";
      this.recorded = Boolean(recordingEnabled);
    } catch (trouble) {
      if (!trouble.status) why = "The server is gone.";
    }
    this.#end(why);
  }

  #end(why) {
    if (this.#over) return;
    this.#changed(this.conversation.end());
    this.#close();
    this.#tell("ended", why);
  }

  #close() {
    this.#over = true;
    this.#connection?.close();
    if (this.#track) {
      this.#track.onended = null;
      this.#track.stop();
    }
    this.#sound.close();
  }

  #changed(entries) {
    if (entries.length) this.#tell("entries", entries);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
