/** The form before the call: whom to call, with which devices. */
import { $, make } from "./dom.js";
import { readJoinUrl, sameServer } from "./connection.js";
import { devices } from "./sound.js";
import { Trouble } from "./trouble.js";

const OTHER = "other";
const OWN = {
  "tipring/echo": ["Echo", "Your own voice comes back at once: for measuring lines."],
  "tipring/tone": ["Tone", "Takes turns and answers in tones: needs no voice and no ear."],
};
const SCRIPT = "tipring/script:";
const FIRST = "tipring/script:receptionist";

/** How an agent is named to people: [name, description]. */
export function describe({ model, description }) {
  if (OWN[model]) return OWN[model];
  if (!model.startsWith(SCRIPT)) return [model, ""];
  const name = model.slice(SCRIPT.length).replace(/[-_]+/g, " ");
  return [name.charAt(0).toUpperCase() + name.slice(1), description ?? "A script of this server."];
}

export class Setup {
  #agents = [];
  #needsKey = false;

  constructor(onCall) {
    $("setup").addEventListener("submit", (event) => { event.preventDefault(); onCall(); });
    for (const radio of document.getElementsByName("whom")) radio.onchange = () => { this.#show(); if (this.byUrl) $("join-url").focus(); };
    $("speaker-box").hidden = !("setSinkId" in HTMLMediaElement.prototype);
    navigator.mediaDevices?.addEventListener("devicechange", () => this.listDevices());
  }

  /** What was chosen. Throws Trouble. */
  get choice() {
    const common = { noMic: $("no-mic").checked, microphone: $("microphone").value, speaker: $("speaker").value, byHand: $("by-hand").checked };
    if (this.byUrl) return { ...common, join: this.#join() };
    const agent = this.#agents.find(({ model }) => model === this.#model);
    if (!agent) throw new Trouble("No agent chosen", "Choose whom to call.");
    return { ...common, agent, record: $("record").checked };
  }

  showAgents(agents) {
    this.#agents = agents;
    const known = agents.filter(({ model }) => OWN[model] || model.startsWith(SCRIPT));
    const rank = ({ model }) => (model === FIRST ? 0 : OWN[model] ? 2 : 1);
    known.sort((a, b) => rank(a) - rank(b));
    const names = agents.filter((agent) => !known.includes(agent)).map(({ model }) => model);
    const cards = known.map((agent) => this.#card(agent));
    if (names.length) cards.push(this.#others(names));
    $("agents").replaceChildren($("agents").querySelector("legend"), ...cards);
    const first = $("agents").querySelector("input");
    if (first) first.checked = true;
    this.#show();
  }

  set needsKey(needs) {
    this.#needsKey = needs;
    this.#show();
    if (needs && !this.byUrl) $("api-key").focus();
  }

  set busy(busy) {
    $("call-button").disabled = busy;
    $("call-label").textContent = busy ? "Calling …" : "Call";
  }

  async listDevices() {
    const all = await devices();
    fill($("microphone"), all.filter(({ kind }) => kind === "audioinput"), "Microphone");
    fill($("speaker"), all.filter(({ kind }) => kind === "audiooutput"), "Loudspeaker");
  }

  /** Whether a join URL is wanted, not an agent. */
  get byUrl() {
    return document.querySelector("input[name=whom]:checked").value === "url";
  }

  get #model() {
    const chosen = document.querySelector("input[name=agent]:checked")?.value;
    return chosen === OTHER ? $("other-model").value : chosen;
  }

  #join() {
    const join = readJoinUrl($("join-url").value);
    const title = "That join URL does not fit";
    if (!join) throw new Trouble(title, "It looks like wss://…/calls/…/…/webrtc. Copy it whole from the call's joinUrl.");
    if (!sameServer(join.host, location.host)) throw new Trouble(title, `It is of another server: open the page of ${join.host} for it.`);
    if (join.medium !== "webrtc") throw new Trouble(title, "It is of a call with another medium: make the call with the medium webRtc.");
    return join;
  }

  #show() {
    $("by-url").hidden = !this.byUrl;
    $("agents").hidden = this.byUrl || !this.#agents.length;
    $("record").parentElement.hidden = this.byUrl; // whoever made the call has decided
    $("key-box").hidden = this.byUrl || !this.#needsKey;
  }

  #card(agent) {
    const [name, description] = describe(agent);
    const tag = agent.tools.length ? make("span", { class: "tag" }, "calls a tool") : null;
    return make("label", { class: "agent-card" }, make("input", { type: "radio", name: "agent", value: agent.model }),
      make("span", {}, make("b", {}, name), tag, make("small", {}, description)));
  }

  #others(names) {
    const select = make("select", { id: "other-model", "aria-label": "Model name" }, ...names.map((name) => make("option", {}, name)));
    const radio = make("input", { type: "radio", name: "agent", value: OTHER });
    select.onchange = () => { radio.checked = true; };
    return make("div", { class: "agent-card" }, radio, make("span", { onclick: ({ target }) => { if (target !== select) radio.click(); } },
      make("b", { id: "other-name" }, "Another model"), make("small", {}, "By the API's names; served by a script of this server."), select));
  }
}

function fill(select, found, word) {
  const chosen = select.value;
  const options = found.map(({ deviceId, label }, at) => make("option", { value: deviceId }, label || `${word} ${at + 1}`));
  select.replaceChildren(select.options[0], ...options);
  select.value = found.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
}
