/**
 * What was said in a call, made of its data messages. Knows no page and no clock.
 *
 * An entry is {key, kind, …}: "said" {role, medium, text, unheard, final, atMs}, "tool" {id, name, parameters, state,
 * result, atMs} or "note" {text, warm}. Of an agent's message that was cut off, `unheard` is what nobody heard: what the
 * server tells of it (the event agent_interrupted), else what was shown and is missing from the final text; `byUser` is
 * false where something else than the user's voice cut it off.
 */
export class Conversation {
  entries = [];
  #said = new Map();
  #tools = new Map();
  #notes = 0;

  /** Take a message that came at `atMs` of the call; gives the entries that changed or came. */
  take(message, atMs = 0) {
    switch (message.type) {
      case "transcript": return this.#transcript(message, atMs);
      case "client_tool_invocation": return this.#invoked(message, atMs);
      case "tool_used": return this.#used(message);
      case "call_event": return this.#event(message);
      default: return [];
    }
  }

  /** What came of a tool call: "answered", "failed" or "late". */
  settle(id, state, result) {
    const entry = this.#tools.get(id);
    if (!entry || entry.state !== "waiting") return [];
    Object.assign(entry, { state, result });
    return [entry];
  }

  /** A remark of the page's own. */
  note(text, { warm = false } = {}) {
    return [this.#add({ key: `note ${this.#notes++}`, kind: "note", text, warm })];
  }

  /** The call is over: nothing is added to messages, nobody waits for tools. */
  end() {
    const changed = [];
    for (const entry of this.entries) {
      if (entry.kind === "said" && !entry.final) changed.push(Object.assign(entry, { final: true }));
      if (entry.kind === "tool" && entry.state === "waiting") changed.push(Object.assign(entry, { state: "late" }));
    }
    return changed;
  }

  #transcript(message, atMs) {
    const { ordinal } = message, text = string(message.text), delta = string(message.delta), final = message.final === true;
    const role = message.role === "user" ? "user" : "agent", medium = message.medium === "text" ? "text" : "voice";
    const key = `said ${role} ${ordinal}`;
    let entry = this.#said.get(key);
    if (!entry && !text && !delta) return []; // a blank message of the agent's, before a tool call
    if (!entry) {
      entry = { key, kind: "said", role, medium, ordinal, text: "", unheard: "", byUser: true, final: false, atMs };
      this.#said.set(key, entry);
      this.#add(entry);
    }
    if (entry.final) return [];
    const before = entry.text;
    entry.text = text || before + delta;
    entry.final = final;
    const missing = final && role === "agent" && before.startsWith(entry.text) ? before.slice(entry.text.length) : "";
    if (missing.trim()) entry.unheard = missing;
    return [entry];
  }

  #event({ eventType, extras }) {
    if (eventType !== "agent_interrupted" || !extras) return [];
    const unheard = string(extras.unheardText);
    if (!unheard.trim()) return [];
    const entry = this.#said.get(`said agent ${extras.ordinal}`);
    if (!entry) return []; // stopped before its first word: it was never said
    entry.unheard = unheard;
    entry.byUser = cutByUser(extras);
    entry.final = true;
    return [entry];
  }

  #invoked({ invocationId, toolName, parameters }, atMs) {
    if (typeof invocationId !== "string" || this.#tools.has(invocationId)) return [];
    const entry = this.#add({ key: `tool ${invocationId}`, kind: "tool", id: invocationId, name: String(toolName),
      parameters: Object(parameters), state: "waiting", result: "", atMs });
    this.#tools.set(invocationId, entry);
    return [entry];
  }

  #used({ invocationId }) {
    return this.settle(invocationId, "late", "");
  }

  #add(entry) {
    this.entries.push(entry);
    return entry;
  }
}

/** Whether the extras of an interruption name the user's voice; servers that name no cause know no other. */
export function cutByUser(extras) {
  return (extras?.cause ?? "user") === "user";
}

/** What is no text is none. */
function string(value) {
  return typeof value === "string" ? value : "";
}
