/**
 * How soon the agent answers: from the end of the user's turn to the agent's first sound, both as heard in this page.
 *
 * Fed with the levels of both sides in blocks of equal length. The user speaks where the level stands clear of the noise
 * floor; the agent's line is silent between its utterances, so anything audible is the agent. What comes before the agent
 * has been heard once is answered by nobody: its greeting was on the way. Pure: time is an argument.
 */
const FLOOR_DB = -70;
const LOUDEST_FLOOR_DB = -35;
const CLEAR_DB = 12; // above the floor is speech
const QUIETEST_SPEECH_DB = -48;
const AGENT_DB = -50;
const SHORTEST_SPEECH_MS = 80; // of what counts as a turn: not a click
const PAUSE_MS = 400; // of the agent, between two utterances
const SOONEST_MS = { voice: 300, text: 20 }; // what comes sooner is no answer: nobody knows yet that the user is done
const RISE_DB_PER_S = 6; // of the floor, which falls at once
const RISE_IN_SPEECH_DB_PER_S = 2; // else noise that sets in would be speech for ever

export class Turns {
  done = []; // {ms, kind}
  #floorDb = FLOOR_DB;
  #userEndMs = null;
  #userStartMs = null;
  #userLoudMs = 0;
  #kind = "voice";
  #agentLoudMs = -Infinity;

  /** One block of levels (dBFS) that ends at `atMs` and is `lengthMs` long; a turn if the agent began to answer in it. */
  feed(atMs, lengthMs, userDb, agentDb) {
    this.#hearUser(atMs, lengthMs, userDb);
    if (!(agentDb > AGENT_DB)) return null;
    const onset = atMs - this.#agentLoudMs > PAUSE_MS;
    this.#agentLoudMs = atMs;
    return onset ? this.#answered(atMs - lengthMs) : null;
  }

  /** The user sent a text, which is a turn too. */
  typed(atMs) {
    this.#turnEnds(atMs, "text");
  }

  #hearUser(atMs, lengthMs, db) {
    const speechDb = Math.max(this.#floorDb + CLEAR_DB, QUIETEST_SPEECH_DB);
    if (db > speechDb) {
      this.#userStartMs ??= atMs - lengthMs;
      this.#userLoudMs += lengthMs;
      if (this.#userLoudMs >= SHORTEST_SPEECH_MS) this.#turnEnds(atMs, "voice");
    } else if (this.#userStartMs !== null && atMs - (this.#userEndMs ?? this.#userStartMs) > 2 * SHORTEST_SPEECH_MS) {
      this.#userStartMs = null;
      this.#userLoudMs = 0;
    }
    const rise = (db > speechDb ? RISE_IN_SPEECH_DB_PER_S : RISE_DB_PER_S) * lengthMs / 1000;
    this.#floorDb = Math.min(Math.max(db, FLOOR_DB), this.#floorDb + rise, LOUDEST_FLOOR_DB);
  }

  #turnEnds(atMs, kind) {
    if (this.#agentLoudMs === -Infinity) return;
    this.#userEndMs = atMs;
    this.#kind = kind;
  }

  #answered(atMs) {
    const endMs = this.#userEndMs;
    this.#userEndMs = null;
    if (endMs === null || atMs - endMs < SOONEST_MS[this.#kind]) return null;
    const turn = { ms: Math.round(atMs - endMs), kind: this.#kind, atMs, endMs };
    this.done.push(turn);
    return turn;
  }
}

/** The middle one; null of none. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (!sorted.length) return null;
  return sorted.length % 2 ? sorted[half] : Math.round((sorted[half - 1] + sorted[half]) / 2);
}
