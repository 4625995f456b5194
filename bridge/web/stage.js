/** The page during a call and after it: what happens is shown, what is pressed is done. */
import { TOOL_LIMIT_MS } from "./call.js";
import { Controls } from "./controls.js";
import { $, clock, plain, tell } from "./dom.js";
import { download } from "./download.js";
import { Meter, TurnList } from "./meters.js";
import { describe } from "./setup.js";
import { Strip } from "./strip.js";
import { Tools } from "./tools.js";
import { Transcript } from "./transcript.js";
import { showTrouble } from "./trouble-box.js";

const TICK_MS = 250;
const STATES = { idle: "Idle", listening: "Listening", thinking: "Thinking", speaking: "Speaking", connecting: "Connecting",
  lost: "Reconnecting", over: "Call over" };

export class Stage {
  #api; #call = null; #agent = null; #byHand = true; #ticking; #controls;
  #strip = new Strip($("strip"));
  #user = new Meter($("mic-level"));
  #far = new Meter($("agent-level"));
  #turns = new TurnList($("turns-box"), $("turns"), $("turns-sum"));
  #transcript = new Transcript($("transcript"));
  #tools = new Tools($("tools"), (...answer) => this.#call?.answer(...answer));

  constructor(api) {
    this.#api = api;
    this.#controls = new Controls(() => this.#call, (muted) => { this.#strip.muted = muted; });
  }

  /** Add the keys of a call. */
  bind(shortcuts) {
    this.#controls.bind(shortcuts);
    shortcuts.add("a", "Answer a tool call", () => this.#tools.focus());
  }

  /** A call is about to start: listen to it. */
  prepare(call, { agent, byHand }) {
    this.#call = call;
    this.#agent = agent ?? null;
    this.#byHand = byHand;
    this.#transcript.clear();
    this.#tools.clear();
    this.#turns.show([]);
    this.#showState("connecting");
    const on = (type, act) => call.addEventListener(type, ({ detail }) => { if (this.#call === call) act(detail); });
    on("entries", (entries) => this.#showEntries(entries));
    on("state", (state) => this.#showState(state));
    on("levels", (levels) => this.#showLevels(levels));
    on("turn", (turn) => { this.#strip.answer(turn); this.#turns.show(call.turns.done); });
    on("cut", (atMs) => this.#strip.cut(atMs));
    on("trouble", (trouble) => showTrouble(trouble));
    on("ended", (why) => this.#showEnd(why));
  }

  /** It did not come about. */
  forget() {
    this.#call = null;
    if (document.body.dataset.phase !== "setup") this.go("setup");
  }

  /** It has begun. */
  show(call, { noMic }) {
    if (this.#call !== call) return; // over already
    $("who").textContent = this.#agent ? describe(this.#agent)[0] : "Agent";
    this.#controls.reset({ noMic });
    this.go("live");
    this.#strip.start();
    this.#ticking = setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
    $("who").focus({ preventScroll: true });
    tell("Connected.");
  }

  hangUp() {
    this.#call?.hangUp();
  }

  /** Be in this phase: "setup", "live" or "ended". */
  go(phase) {
    document.body.dataset.phase = phase;
    $("setup").hidden = phase !== "setup";
    $("call").hidden = phase === "setup";
    $("bar").hidden = phase !== "live";
    $("ended").hidden = phase !== "ended";
  }

  #showEntries(entries) {
    this.#transcript.show(entries);
    for (const entry of entries) {
      if (entry.kind === "tool") this.#showTool(entry);
      // What is written is told to screen readers too; what is spoken they would talk over.
      const written = entry.kind === "said" && entry.role === "agent" && entry.medium === "text" && entry.final;
      if (written) tell(`Agent: ${entry.text}`);
    }
  }

  #showTool(entry) {
    const canned = this.#agent?.answers?.[entry.name];
    const waits = entry.state === "waiting";
    if (waits && !this.#byHand && canned !== undefined) {
      const result = { type: "client_tool_result", invocationId: entry.id, result: canned };
      queueMicrotask(() => this.#call?.answer(result, "answered", canned));
      return;
    }
    this.#tools.show(entry, { canned: canned && plain(canned), limitMs: this.#agent && TOOL_LIMIT_MS });
    if (waits) tell(`The agent calls the tool ${entry.name} and waits for your answer. Press A to go there.`);
  }

  #showState(state) {
    const pill = $("state");
    if (state === "lost") tell("The connection is lost; the page tries to get it back.");
    if (state === "back") tell("Connected again.");
    pill.dataset.state = state === "back" ? "listening" : state;
    pill.textContent = STATES[pill.dataset.state] ?? state;
  }

  #showLevels(levels) {
    this.#strip.add(levels);
    this.#user.show(levels.user, levels.atMs);
    this.#far.show(levels.agent, levels.atMs);
  }

  #tick() {
    $("unmeasured").hidden = this.#call.measures;
    $("clock").textContent = clock(this.#call.lengthMs);
    const lag = this.#call.roundTripMs;
    $("lag").textContent = lag === null ? "" : `${Math.round(lag)} ms to the server`;
  }

  #showEnd(why) {
    const call = this.#call, n = call.turns.done.length;
    clearInterval(this.#ticking);
    this.#controls.stop();
    this.#call = null;
    this.#showState("over");
    this.#user.reset();
    this.#far.reset();
    $("lag").textContent = "";
    $("ended-why").textContent = why;
    $("ended-more").textContent = `It lasted ${clock(call.lengthMs)}${n ? `; ${n} answer ${n === 1 ? "time" : "times"} measured` : ""}.`;
    $("download").hidden = !call.recorded;
    $("download").onclick = () => this.#download(call.callId);
    this.go("ended");
    this.#strip.stop();
    $("ended-why").focus();
  }

  async #download(callId) {
    const button = $("download"), words = button.textContent;
    button.disabled = true;
    button.textContent = "Fetching …";
    try {
      showTrouble(null);
      await download(this.#api, callId);
    } catch (trouble) {
      showTrouble(trouble);
    } finally {
      button.disabled = false;
      button.textContent = words;
    }
  }
}
