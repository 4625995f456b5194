/** The recording of a call that is over. */
import { make } from "./dom.js";

const TRIES = 20;
const EVERY_MS = 500;
const KEPT_MS = 60_000; // browsers read the file after the click

/** Save the recording as a file. Throws Trouble. */
export async function download(api, callId) {
  const url = URL.createObjectURL(await recording(api, callId));
  make("a", { href: url, download: `tipring-${callId}.wav` }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

async function recording(api, callId) {
  for (let tries = 1; ; tries++) {
    try {
      return await api.recording(callId);
    } catch (trouble) {
      if (trouble.status !== 425 || tries >= TRIES) throw trouble;
      await new Promise((done) => setTimeout(done, EVERY_MS)); // the call is being finished
    }
  }
}
