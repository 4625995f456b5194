/** The server's REST API, as far as the page needs it. The key stays in this object and goes nowhere else. */
import { Trouble, refused, unreachable } from "./trouble.js";

const REQUEST_MS = 10_000;
const RECORDING_MS = 60_000;

/** Messages that this page shows and that a call leaves out unless they are asked for. */
const MESSAGES = { callEvent: true, toolUsed: true, invokingTool: true, playbackClearBuffer: true,
  userStartedSpeaking: true, userStoppedSpeaking: true };

export class Api {
  #key = "";

  set key(key) {
    this.#key = key.trim();
  }

  /** Agents that can be called: [{model, name, description, tools, answers}]. Throws Trouble. */
  async agents() {
    const models = (await this.#json("api/models?pageSize=100")).results.map(({ name }) => name);
    const told = await this.#json("agents.json").catch(() => []);
    const known = new Map(told.map((agent) => [agent.model, agent]));
    return models.map((model) => known.get(model) ?? { model, tools: [], answers: {} });
  }

  /** Make a call; gives {callId, joinUrl, …}. Throws Trouble. */
  create({ model, tools, record, medium }) {
    const body = {
      model,
      medium: { webRtc: { dataMessages: MESSAGES } },
      metadata: { client: "softphone" },
      initialOutputMedium: medium === "text" ? "MESSAGE_MEDIUM_TEXT" : "MESSAGE_MEDIUM_VOICE",
    };
    if (tools.length) body.selectedTools = tools;
    if (record) body.recordingEnabled = true;
    return this.#json("api/calls", { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  }

  call(callId) {
    return this.#json(`api/calls/${callId}`);
  }

  /** The recording as a Blob. Throws Trouble; its status is 425 while the call has not quite ended. */
  async recording(callId) {
    const response = await this.#ask(`api/calls/${callId}/recording`, { signal: AbortSignal.timeout(RECORDING_MS) });
    return response.blob();
  }

  async #json(path, init) {
    const response = await this.#ask(path, init);
    try {
      return await response.json();
    } catch {
      throw new Trouble("Not this server's page", "The answer is none of a Tipring server.");
    }
  }

  async #ask(path, init = {}) {
    const headers = { ...init.headers };
    if (this.#key) headers["X-API-Key"] = this.#key;
    let response;
    try {
      response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(REQUEST_MS), ...init, headers });
    } catch (error) {
      if (error instanceof TypeError && this.#key && !/^[\x20-\x7e]*$/.test(this.#key)) {
        throw new Trouble("That is no API key", "It holds characters that no key has.", { status: 401 });
      }
      throw unreachable();
    }
    if (response.ok) return response;
    if (response.status === 401 && this.#key) {
      throw new Trouble("This API key is not valid", "Check it, or ask whoever runs this server for another.", { status: 401 });
    }
    throw refused(TITLES[response.status] ?? "The server refuses", response.status, await response.text().catch(() => ""));
  }
}

const TITLES = { 401: "An API key is needed", 429: "Too many calls", 503: "No call can be taken now" };
