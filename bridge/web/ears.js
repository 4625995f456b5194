/** Levels of both sides, measured on the audio clock: input 0 is the user, input 1 the agent; a message each 20 ms. */
const BLOCK_S = 0.02;
const QUIET_DB = -100;

class Ears extends AudioWorkletProcessor {
  #size = Math.round(sampleRate * BLOCK_S);
  #sums = [0, 0];
  #count = 0;

  process(inputs) {
    const length = inputs.find((input) => input.length)?.[0].length ?? 128;
    for (let side = 0; side < 2; side++) {
      const samples = inputs[side]?.[0];
      if (samples) for (const sample of samples) this.#sums[side] += sample * sample;
    }
    this.#count += length;
    if (this.#count >= this.#size) this.#report(length);
    return true;
  }

  #report(length) {
    const [user, agent] = this.#sums.map((sum) => (sum > 0 ? Math.max(QUIET_DB, 10 * Math.log10(sum / this.#count)) : QUIET_DB));
    this.port.postMessage({ atMs: 1000 * (currentTime + length / sampleRate), lengthMs: (1000 * this.#count) / sampleRate, user, agent });
    this.#sums = [0, 0];
    this.#count = 0;
  }
}

registerProcessor("ears", Ears);
