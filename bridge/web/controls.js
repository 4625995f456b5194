/** The bar below a call: text, mute, loudspeaker, keypad, the agent's medium, hang-up; and their keys. */
import { $ } from "./dom.js";
import { KeypadView } from "./keypad.js";

const ICONS = { mute: "mic", deafen: "speaker" };

export class Controls {
  #call; #keypad; #onMute;

  /** `call()` gives the call there is, or null; `onMute(muted)` hears of the microphone. */
  constructor(call, onMute) {
    this.#call = call;
    this.#onMute = onMute;
    this.#keypad = new KeypadView($("keypad"), (digits) => call()?.digits(digits), (key) => call()?.beep(key));
    $("mute").onclick = () => this.#mute();
    $("deafen").onclick = () => this.#deafen();
    $("keypad-open").onclick = () => this.#openKeypad();
    $("hang-up").onclick = () => this.#hangUp();
    for (const radio of document.getElementsByName("medium")) radio.onchange = () => { if (call()) call().medium = radio.value; };
    $("write").onsubmit = (event) => { event.preventDefault(); this.#write(); };
    $("text").onkeydown = ({ key }) => { if (key === "Escape") $("text").blur(); };
  }

  bind(shortcuts) {
    shortcuts.add("m", "Mute the microphone", () => this.#mute());
    shortcuts.add("s", "Mute the loudspeaker", () => this.#deafen());
    shortcuts.add("t", "Type to the agent; Esc leaves the field", () => Boolean(this.#call()) && ($("text").focus(), true));
    shortcuts.add("k", "Keypad; then 0 to 9, * and # are its keys", () => this.#openKeypad());
    shortcuts.add("H", "Hang up", () => this.#hangUp());
    shortcuts.otherwise = (key) => this.#keypad.press(key);
  }

  /** A call has begun. */
  reset({ noMic }) {
    for (const id of ["mute", "deafen"]) show(id, false);
    $("mute").disabled = Boolean(noMic);
    $("mic-level").parentElement.classList.remove("muted");
    $("text").value = "";
    this.#onMute(false);
    document.querySelector("input[name=medium][value=voice]").checked = true;
  }

  /** It is over. */
  stop() {
    this.#keypad.stop();
  }

  #mute() {
    return this.#toggle("mute", (on) => {
      this.#call().muted = on;
      this.#onMute(on);
      $("mic-level").parentElement.classList.toggle("muted", on);
    });
  }

  #deafen() {
    return this.#toggle("deafen", (on) => { this.#call().deaf = on; });
  }

  #openKeypad() {
    if (!this.#call()) return false;
    this.#keypad.open = !this.#keypad.open;
    return true;
  }

  #hangUp() {
    this.#call()?.hangUp();
  }

  #write() {
    const text = $("text").value.trim();
    if (text && this.#call()?.type(text)) $("text").value = "";
  }

  #toggle(id, act) {
    if (!this.#call() || $(id).disabled) return false;
    const on = $(id).getAttribute("aria-pressed") !== "true";
    show(id, on);
    act(on);
    return true;
  }
}

function show(id, on) {
  const button = $(id);
  button.setAttribute("aria-pressed", String(on));
  button.querySelector("use").setAttribute("href", `#i-${ICONS[id]}${on ? "-off" : ""}`);
}
