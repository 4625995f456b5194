/** The two level meters and the list of answer times. */
import { make } from "./dom.js";
import { share } from "./strip.js";
import { median } from "./turns.js";

const FALL_DB = 1.2; // a block: meters jump up and sink
const TOLD_MS = 500; // how often assistive technology gets a new value
const TALLEST_PX = 26;
const SCALE_MS = 2000; // of the tallest bar
const SLOW_MS = 1500;

export class Meter {
  #element; #db = -60; #toldMs = 0;

  constructor(element) {
    this.#element = element;
  }

  show(db, nowMs) {
    this.#db = Math.max(db, this.#db - FALL_DB, -60);
    this.#element.firstElementChild.style.setProperty("--level", share(this.#db).toFixed(3));
    if (nowMs - this.#toldMs < TOLD_MS) return;
    this.#toldMs = nowMs;
    this.#element.setAttribute("aria-valuenow", String(Math.round(this.#db)));
    this.#element.setAttribute("aria-valuetext", this.#db <= -60 ? "silent" : `${Math.round(this.#db)} decibels`);
  }

  reset() {
    this.#db = -60;
    this.show(-60, Infinity);
  }
}

export class TurnList {
  #box; #list; #sum;

  constructor(box, list, sum) {
    this.#box = box;
    this.#list = list;
    this.#sum = sum;
  }

  /** Show all turns, of which one may be new. */
  show(turns) {
    this.#box.hidden = !turns.length;
    while (this.#list.children.length > turns.length) this.#list.lastChild.remove();
    for (const { ms, kind } of turns.slice(this.#list.children.length)) this.#add(ms, kind);
    if (!turns.length) return;
    const all = turns.map(({ ms }) => ms);
    this.#sum.textContent = all.length < 2 ? `${all[0]} ms` : `median ${median(all)} ms, slowest ${Math.max(...all)} ms`;
    this.#list.scrollLeft = this.#list.scrollWidth;
  }

  #add(ms, kind) {
    const bar = make("i");
    bar.style.setProperty("--tall", `${Math.max(3, Math.min(1, ms / SCALE_MS) * TALLEST_PX)}px`);
    const typed = kind === "text" ? make("span", { class: "unseen" }, " after a typed message") : null;
    const name = [kind === "text" && "text", ms > SLOW_MS && "slow"].filter(Boolean).join(" ");
    this.#list.append(make("li", { class: name }, bar, `${ms}`, make("span", { class: "unseen" }, " ms"), typed));
  }
}
