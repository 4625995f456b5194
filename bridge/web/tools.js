/** Tool calls: a form each, to answer by hand. */
import { make, plain } from "./dom.js";

const REACTIONS = [["", "as declared"], ["speaks", "speaks"], ["listens", "listens"], ["speaks-once", "speaks unless it has"]];
const KINDS = [["tool-response", "a result"], ["hang-up", "hang up"]];
const SETTLED = { answered: "Answered", failed: "Failed", late: "Over: nobody waits for an answer any more" };
const KEPT = 3; // settled calls that stay on the page
const ROOMY = matchMedia("(min-width: 861px)"); // elsewhere a settled call shows its name alone

export class Tools {
  #box; #send; #cards = new Map();

  /** `send(message)` is called with the result; gives whether it could be sent. */
  constructor(box, send) {
    this.#box = box;
    this.#send = send;
  }

  clear() {
    this.#box.replaceChildren();
    this.#cards.clear();
  }

  /** Show a tool call that came or changed; `canned` is the answer to start from, `limitMs` how long it is waited for. */
  show(entry, { canned = "", limitMs = null } = {}) {
    if (entry.state !== "waiting") {
      this.#settle(entry);
    } else if (!this.#cards.has(entry.id)) {
      const card = this.#card(entry, canned, limitMs);
      this.#cards.set(entry.id, card);
      this.#box.prepend(card);
      card.scrollIntoView({ block: "nearest" });
    }
  }

  /** Move the focus to the call that waits longest; false if none does. */
  focus() {
    const first = [...this.#box.querySelectorAll("form.tool textarea")].at(-1);
    first?.focus();
    return Boolean(first);
  }

  #card(entry, canned, limitMs) {
    const id = `tool-${this.#cards.size}`;
    const result = make("textarea", { id: `${id}-result`, rows: 3, spellcheck: false }, canned);
    const kind = choice(`${id}-kind`, KINDS), reaction = choice(`${id}-reaction`, REACTIONS);
    const answer = (failed) => this.#answer(entry, { result: result.value, kind: kind.value, reaction: reaction.value, failed });
    const card = make("form", { class: "tool", onsubmit: (event) => { event.preventDefault(); answer(false); }, "aria-labelledby": `${id}-name` },
      make("h3", { id: `${id}-name` }, entry.name, make("small", {}, "The agent waits for your answer")),
      limitMs && make("div", { class: "left", "aria-hidden": "true" }, make("i")),
      parameters(entry.parameters),
      make("div", {}, make("label", { htmlFor: `${id}-result` }, "Result"), result),
      make("div", { class: "pair" },
        make("div", {}, make("label", { htmlFor: `${id}-kind` }, "Means"), kind),
        make("div", {}, make("label", { htmlFor: `${id}-reaction` }, "Then the agent"), reaction)),
      make("div", { class: "row" }, make("button", { class: "strong" }, "Answer"),
        make("button", { type: "button", onclick: () => answer(true) }, "Fail")));
    if (limitMs) runDown(card, limitMs);
    return card;
  }

  #answer(entry, { result, kind, reaction, failed }) {
    const message = { type: "client_tool_result", invocationId: entry.id, result, responseType: kind };
    if (reaction) message.agentReaction = reaction;
    if (failed) Object.assign(message, { errorType: "implementation-error", errorMessage: result || "failed by hand" });
    this.#send(message, failed ? "failed" : "answered", result);
  }

  #settle(entry) {
    const card = this.#cards.get(entry.id);
    if (!card || card.localName !== "form") return;
    const focused = card.contains(document.activeElement);
    const over = make("details", { class: "tool over", open: ROOMY.matches },
      make("summary", {}, make("b", {}, entry.name), make("small", {}, SETTLED[entry.state])),
      parameters(entry.parameters), entry.result && make("pre", {}, entry.result));
    card.replaceWith(over);
    this.#cards.set(entry.id, over);
    if (focused) over.firstElementChild.focus();
    for (const old of [...this.#box.querySelectorAll(".tool.over")].slice(KEPT)) old.remove();
  }
}

function parameters(given) {
  const pairs = Object.entries(given);
  if (!pairs.length) return make("p", { class: "soft" }, "Without parameters.");
  return make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, plain(value))]));
}

function choice(id, options) {
  return make("select", { id }, ...options.map(([value, text]) => make("option", { value }, text)));
}

function runDown(card, limitMs) {
  const bar = card.querySelector(".left i"), fromMs = performance.now();
  const timer = setInterval(() => {
    const left = 1 - (performance.now() - fromMs) / limitMs;
    bar.style.setProperty("--left", Math.max(0, left).toFixed(3));
    if (left <= 0 || !card.isConnected) clearInterval(timer);
  }, 200);
}
