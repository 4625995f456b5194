/** The keypad on the page. */
import { $, make } from "./dom.js";
import { KEYS, Keypad, LETTERS } from "./keys.js";

const DOWN_MS = 140;
const SHOWN = 24; // digits on the little display

export class KeypadView {
  #box; #keypad; #beep; #buttons = new Map(); #display = make("output", { "aria-label": "Pressed" });

  /** `send(digits)` gets what was pressed together, `beep(key)` each key. */
  constructor(box, send, beep) {
    this.#box = box;
    this.#keypad = new Keypad(send);
    this.#beep = beep;
    for (const key of KEYS) this.#buttons.set(key, this.#button(key));
    box.append(this.#display, ...this.#buttons.values());
  }

  get open() {
    return !this.#box.hidden;
  }

  set open(open) {
    this.#box.hidden = !open;
    $("keypad-open").setAttribute("aria-expanded", String(open));
    if (open) this.#display.textContent = "";
  }

  /** Press a key; false if the keypad is shut or there is no such key. */
  press(key) {
    if (!this.open || !this.#keypad.press(key)) return false;
    this.#beep(key);
    this.#display.textContent = (this.#display.textContent + key).slice(-SHOWN);
    const button = this.#buttons.get(key);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), DOWN_MS);
    return true;
  }

  stop() {
    this.#keypad.stop();
    this.open = false;
  }

  #button(key) {
    const name = { "*": "star", "#": "hash" }[key];
    return make("button", { type: "button", "aria-label": name, onclick: () => this.press(key) }, key, make("small", {}, LETTERS[key] ?? ""));
  }
}
