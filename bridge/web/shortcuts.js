/** Keyboard shortcuts: single keys, where no text is being typed; all of them can be switched off. */
import { $, make } from "./dom.js";

const TEXT = new Set(["INPUT", "TEXTAREA", "SELECT"]);
const FREE = new Set(["checkbox", "radio"]);

export class Shortcuts {
  /** Gets the keys that do nothing here, such as those of the keypad; true takes one. */
  otherwise = () => false;
  #actions = new Map();

  constructor() {
    document.addEventListener("keydown", (event) => this.#press(event));
    $("shortcuts-open").onclick = () => $("shortcuts").showModal();
  }

  /** Have `key` do something; `does` says what, for people. */
  add(key, does, act) {
    this.#actions.set(key, act);
    const shown = key === key.toUpperCase() && /[A-Z]/.test(key) ? ["Shift", key] : [key.toUpperCase()];
    const keys = shown.flatMap((each, at) => [at ? " + " : null, make("kbd", {}, each)]);
    $("shortcut-list").append(make("dt", {}, ...keys), make("dd", {}, does));
  }

  #press(event) {
    const { target, key } = event;
    if (!$("shortcuts-on").checked || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if ($("shortcuts").open || (TEXT.has(target.nodeName) && !FREE.has(target.type))) return;
    const act = this.#actions.get(key) ?? this.otherwise;
    if (act(key) !== false) event.preventDefault();
  }
}
