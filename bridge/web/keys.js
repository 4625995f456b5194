/** The telephone's keys: quick presses together become one message to the agent. */
export const QUICK_MS = 500; // a key pressed within this of the one before belongs to the same message
export const MAX_DIGITS = 64; // in one message; more begin the next
export const MAX_PER_S = 20;
export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
export const LETTERS = { 2: "ABC", 3: "DEF", 4: "GHI", 5: "JKL", 6: "MNO", 7: "PQRS", 8: "TUV", 9: "WXYZ", 0: "+" };

const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477];

/** The two frequencies of a key, Hz (ITU-T Q.23). */
export function tonesOf(key) {
  const at = KEYS.indexOf(key);
  return at < 0 ? null : [ROWS_HZ[Math.floor(at / 3)], COLUMNS_HZ[at % 3]];
}

/** The message that tells the agent of digits: the API's default for a caller's keys. */
export function digitsMessage(digits) {
  return { type: "user_text_message", text: digits, urgency: "immediate" };
}

export class Keypad {
  #digits = ""; #timer; #send; #pressed = [];

  /** `send(digits)` is called with what was pressed together. */
  constructor(send) {
    this.#send = send;
  }

  /** A key was pressed at `nowMs`; false if it does not count. */
  press(key, nowMs = performance.now()) {
    this.#pressed = this.#pressed.filter((atMs) => nowMs - atMs < 1000);
    if (!KEYS.includes(key) || this.#pressed.length >= MAX_PER_S) return false;
    this.#pressed.push(nowMs);
    this.#digits += key;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), QUICK_MS);
    if (this.#digits.length >= MAX_DIGITS) this.#flush();
    return true;
  }

  /** The call is over: what was pressed last goes nowhere. */
  stop() {
    clearTimeout(this.#timer);
    this.#digits = "";
  }

  #flush() {
    clearTimeout(this.#timer);
    const digits = this.#digits;
    this.#digits = "";
    if (digits) this.#send(digits);
  }
}
