/** The softphone: the page's parts joined to one call at a time. */
import { Api } from "./api.js";
import { Call, TOOL_LIMIT_MS } from "./call.js";
import { $, clock, make, plain, tell } from "./dom.js";
import { KeypadView } from "./keypad.js";
import { Meter, TurnList } from "./meters.js";
import { Setup, describe } from "./setup.js";
import { Shortcuts } from "./shortcuts.js";
import { Strip } from "./strip.js";
import { Tools } from "./tools.js";
import { Transcript } from "./transcript.js";
import { Trouble, unable } from "./trouble.js";

const RECORDING_TRIES = 20;
const RECORDING_EVERY_MS = 500;
const STATES = { idle: "Idle", listening: "Listening", thinking: "Thinking", speaking: "Speaking", lost: "Connection lost, trying again", connecting: "Connecting", over: "Call over" };

const api = new Api();
const setup = new Setup(() => startCall());
const strip = new Strip($("strip"));
const meters = { user: new Meter($("mic-level")), agent: new Meter($("agent-level")) };
const turnList = new TurnList($("turns-box"), $("turns"), $("turns-sum"));
const transcript = new Transcript($("transcript"));
const tools = new Tools($("tools"), (...answer) => call?.answer(...answer));
const keypad = new KeypadView($("keypad"), (digits) => call?.digits(digits), (key) => call?.beep(key));
const shortcuts = new Shortcuts();
let call = null;
let agent = null;
let ticking;

async function loadAgents() {
  try {
    setup.showAgents(await api.agents());
    setup.needsKey = false;
    showTrouble(null);
  } catch (trouble) {
    setup.needsKey = trouble.status === 401;
    if (trouble.status !== 401 || $("api-key").value) showTrouble(trouble, loadAgents);
  }
}

async function startCall() {
  if (call || $("call-button").disabled) return;
  showTrouble(null);
  let choice;
  try {
    choice = setup.choice;
  } catch (trouble) {
    showTrouble(trouble, startCall);
    return;
  }
  setup.busy = true;
  const next = new Call(api, $("out"));
  try {
    listen(next, choice);
    await next.start(choice);
  } catch (trouble) {
    if (phase() !== "setup") showSetup();
    showTrouble(trouble, startCall);
    if (trouble.status === 401 && !choice.join) setup.needsKey = true;
    return;
  } finally {
    setup.busy = false;
    setup.listDevices(); // their names are told only now
  }
  showCall(next, choice);
}

function listen(next, choice) {
  agent = choice.agent ?? null;
  transcript.clear();
  tools.clear();
  turnList.show([]);
  showState("connecting");
  const hear = (type, act) => next.addEventListener(type, ({ detail }) => act(detail));
  hear("entries", (entries) => showEntries(next, entries, choice));
  hear("state", showState);
  hear("levels", (levels) => showLevels(levels));
  hear("turn", (turn) => { strip.answer(turn); turnList.show(next.turns.done); });
  hear("cut", (atMs) => strip.cut(atMs));
  hear("trouble", (trouble) => showTrouble(trouble));
  hear("ended", (why) => showEnd(next, why));
}

function showCall(next, choice) {
  call = next;
  $("who").textContent = agent ? describe(agent)[0] : "Agent";
  $("ended").hidden = true;
  $("bar").hidden = false;
  for (const button of [$("mute"), $("deafen")]) press(button, false);
  $("mute").disabled = choice.noMic;
  $("out").muted = strip.muted = false;
  document.querySelector("input[name=medium][value=voice]").checked = true;
  go("live");
  strip.start();
  ticking = setInterval(tick, 250);
  tick();
  $("who").focus({ preventScroll: true });
  tell("Connected.");
}

function showEntries(from, entries, { byHand }) {
  transcript.show(entries);
  for (const entry of entries) {
    if (entry.kind === "tool") showTool(from, entry, byHand);
    // What is written is read by nobody else; what is spoken would be talked over.
    if (entry.kind === "said" && entry.role === "agent" && entry.medium === "text" && entry.final) tell(`Agent: ${entry.text}`);
  }
}

function showTool(from, entry, byHand) {
  const canned = agent?.answers?.[entry.name];
  const waits = entry.state === "waiting";
  if (waits && !byHand && canned !== undefined) {
    const result = { type: "client_tool_result", invocationId: entry.id, result: canned };
    queueMicrotask(() => from.answer(result, "answered", canned));
    return;
  }
  tools.show(entry, { canned: canned && plain(canned), limitMs: agent && TOOL_LIMIT_MS });
  if (waits) tell(`The agent calls the tool ${entry.name} and waits for your answer. Press A to go there.`);
}

function showState(state) {
  if (state === "back") {
    showState("listening");
    tell("Connected again.");
    return;
  }
  const pill = $("state");
  pill.dataset.state = state;
  pill.textContent = STATES[state] ?? state;
  if (state === "lost") tell(STATES.lost);
}

function showLevels(levels) {
  strip.add(levels);
  meters.user.show(levels.user, levels.atMs);
  meters.agent.show(levels.agent, levels.atMs);
}

function tick() {
  if (!call) return;
  $("clock").textContent = clock(call.lengthMs);
  const lag = call.roundTripMs;
  $("lag").textContent = lag === null ? "" : `${Math.round(lag)} ms to the server`;
}

async function showEnd(ended, why) {
  if (call !== ended) return;
  clearInterval(ticking);
  strip.stop();
  keypad.stop();
  call = null;
  showState("over");
  meters.user.show(-60, Infinity);
  $("lag").textContent = "";
  $("bar").hidden = true;
  $("ended").hidden = false;
  $("ended-why").textContent = why;
  const n = ended.turns.done.length;
  $("ended-more").textContent = `It lasted ${$("clock").textContent}${n ? `; ${n} ${n === 1 ? "turn" : "turns"} measured` : ""}.`;
  $("download").hidden = !ended.recorded;
  $("download").onclick = () => download(ended.callId);
  go("ended");
  $("ended-why").focus();
  tell(why);
}

async function download(callId) {
  const button = $("download");
  button.disabled = true;
  button.textContent = "Fetching …";
  try {
    const url = URL.createObjectURL(await recording(callId));
    make("a", { href: url, download: `tipring-${callId}.wav` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    showTrouble(null);
  } catch (trouble) {
    showTrouble(trouble);
  } finally {
    button.disabled = false;
    button.textContent = "Download the recording";
  }
}

async function recording(callId) {
  for (let tries = 1; ; tries++) {
    try {
      return await api.recording(callId);
    } catch (trouble) {
      if (trouble.status !== 425 || tries >= RECORDING_TRIES) throw trouble;
      await new Promise((done) => setTimeout(done, RECORDING_EVERY_MS)); // the call is being finished
    }
  }
}

function showSetup() {
  showTrouble(null);
  go("setup");
  $("call-button").focus();
}

function showTrouble(trouble, again) {
  const box = $("trouble");
  if (!trouble) {
    box.replaceChildren();
    return;
  }
  if (!(trouble instanceof Trouble)) {
    console.error(trouble);
    trouble = new Trouble("This page has failed", `Reload it. (${trouble})`);
  }
  const ways = { retry: ["Try again", again], "no-mic": ["Call without a microphone", () => { $("no-mic").checked = true; startCall(); }] };
  const offers = trouble.offers.filter((name) => ways[name][1]).map((name) => {
    const [words, act] = ways[name];
    return make("button", { type: "button", onclick: () => act() }, words);
  });
  const words = make("div", {}, make("b", {}, trouble.title), make("span", {}, trouble.message), offers.length ? make("div", { class: "row" }, ...offers) : null);
  box.replaceChildren(make("div", { class: "trouble" }, words));
  box.scrollIntoView({ block: "nearest" });
}

function phase() {
  return document.body.dataset.phase;
}

function go(to) {
  document.body.dataset.phase = to;
  $("setup").hidden = to !== "setup";
  $("call").hidden = to === "setup";
}

function press(button, on) {
  button.setAttribute("aria-pressed", String(on));
  const icon = { mute: "mic", deafen: "speaker" }[button.id];
  button.querySelector("use").setAttribute("href", `#i-${icon}${on ? "-off" : ""}`);
  if (button.id === "mute") button.querySelector("span").textContent = on ? "Muted" : "Mute";
}

function toggle(id, act) {
  return () => {
    if (!call || $(id).disabled) return false;
    const on = $(id).getAttribute("aria-pressed") !== "true";
    press($(id), on);
    act(on);
    return true;
  };
}

const mute = toggle("mute", (on) => { call.muted = strip.muted = on; $("mic-level").parentElement.classList.toggle("muted", on); });
const deafen = toggle("deafen", (on) => { call.deaf = on; });
const openKeypad = () => call && ((keypad.open = !keypad.open), true);
const hangUp = () => call && (call.hangUp(), true);

$("mute").onclick = mute;
$("deafen").onclick = deafen;
$("keypad-open").onclick = openKeypad;
$("hang-up").onclick = hangUp;
$("again").onclick = showSetup;
for (const radio of document.getElementsByName("medium")) radio.onchange = () => { if (call) call.medium = radio.value; };
$("write").onsubmit = (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (text && call?.type(text)) $("text").value = "";
};
$("text").onkeydown = ({ key }) => { if (key === "Escape") $("text").blur(); };
$("api-key").onchange = () => { api.key = $("api-key").value; loadAgents(); };

shortcuts.add("c", "Call", () => (phase() === "setup" ? (startCall(), true) : false));
shortcuts.add("m", "Mute the microphone", mute);
shortcuts.add("s", "Mute the loudspeaker", deafen);
shortcuts.add("t", "Type to the agent; Esc leaves the field", () => call && ($("text").focus(), true) || false);
shortcuts.add("a", "Answer a tool call", () => tools.focus());
shortcuts.add("k", "Keypad; then 0 to 9, * and # are its keys", () => openKeypad() || false);
shortcuts.add("H", "Hang up", () => hangUp() || false);
shortcuts.add("?", "Show these keys", () => { $("shortcuts").showModal(); });
document.addEventListener("keydown", pressKey);

function pressKey(event) {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.nodeName) && event.target.type !== "radio") return;
  if (keypad.press(event.key)) event.preventDefault();
}

addEventListener("pagehide", () => call?.hangUp());
$("where").textContent = location.host;
setup.listDevices();
if (!("RTCPeerConnection" in window)) {
  showTrouble(unable());
  $("call-button").disabled = true;
}
await loadAgents();
document.body.dataset.ready = "yes";
