/** The transcript on the page: one item for each thing said, what nobody heard struck through. */
import { clock, make } from "./dom.js";

const LONGEST_UNHEARD = 240; // characters that are shown; the rest stands in the title
const NEAR_PX = 60; // from the end: then it is followed

export class Transcript {
  #list; #items = new Map(); #atEnd = true;

  constructor(list) {
    this.#list = list;
    list.addEventListener("scroll", () => { this.#atEnd = this.#scrolledToEnd; }, { passive: true });
    new ResizeObserver(() => { if (this.#atEnd && this.#scrolls) this.#follow(); }).observe(list);
  }

  clear() {
    this.#list.replaceChildren();
    this.#items.clear();
  }

  /** Show entries that came or changed. */
  show(entries) {
    const follows = this.#follows;
    for (const entry of entries) {
      const item = this.#item(entry);
      if (entry.kind === "said") said(item, entry);
      else if (entry.kind === "note") item.textContent = entry.text;
      else item.textContent = toolLine(entry);
    }
    if (follows) this.#follow();
  }

  /** Whether the end is in view: whoever has scrolled up to read is left in peace. */
  get #follows() {
    const list = this.#list, last = list.lastElementChild;
    if (!last) return true;
    if (this.#scrolls) return this.#scrolledToEnd;
    return last.getBoundingClientRect().bottom < innerHeight + NEAR_PX;
  }

  get #scrolledToEnd() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < NEAR_PX;
  }

  /** Whether the list scrolls by itself; on a phone the page does. */
  get #scrolls() {
    return this.#list.scrollHeight > this.#list.clientHeight + 1;
  }

  #follow() {
    if (this.#scrolls) this.#list.scrollTop = this.#list.scrollHeight;
    else this.#list.lastElementChild?.scrollIntoView({ block: "nearest" });
  }

  #item(entry) {
    let item = this.#items.get(entry.key);
    if (!item) {
      item = make("li", { class: entry.kind === "said" ? `said ${entry.role === "user" ? "user" : "agent"}` : "note" });
      if (entry.warm) item.classList.add("warm");
      this.#items.set(entry.key, item);
      this.#list.append(item);
    }
    return item;
  }
}

function said(item, entry) {
  const user = entry.role === "user";
  const who = make("b", {}, user ? "You" : "Agent", make("time", {}, clock(entry.atMs) + (entry.medium === "text" ? ", written" : "")));
  const text = make("p", {}, entry.text);
  if (entry.unheard) {
    const unheard = entry.unheard.trim(), space = entry.text ? " " : "";
    const shown = unheard.length > LONGEST_UNHEARD ? `${unheard.slice(0, LONGEST_UNHEARD).replace(/\s+\S*$/, "")} …` : unheard;
    text.append(space, make("del", { title: unheard }, shown));
  }
  const why = entry.byUser ? "Cut off: what is struck through was not heard." : "What is struck through was not heard.";
  const cut = entry.unheard ? make("small", { class: entry.byUser ? "cut" : "unheard" }, why) : null;
  item.classList.toggle("open", !user && !entry.final);
  item.replaceChildren(...[who, text, cut].filter(Boolean));
}

function toolLine({ name, state }) {
  const words = { waiting: "waits for an answer", answered: "was answered", failed: "was told that it failed", late: "is over" };
  return `Tool ${name} ${words[state]}`;
}
