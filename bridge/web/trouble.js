/** What can go wrong, in words that say what to do. */

const NAMELESS = new Set(["detail", "non_field_errors"]); // sentences about the request as a whole

const PASSING = new Set([429, 503]); // statuses that say: not now

/** Something went wrong that the user should know of. `status` is the server's, where it answered. */
export class Trouble extends Error {
  constructor(title, text, { status, offers = [] } = {}) {
    super(text);
    this.title = title;
    this.status = status;
    this.offers = offers; // names of ways out: "retry", "no-mic"
  }
}

export function unreachable() {
  const text = "Nothing answers at this page's address. Is it still running? Then try again.";
  return new Trouble("The server is gone", text, { offers: ["retry"] });
}

/** The server refused; its own sentence says why. */
export function refused(title, status, body) {
  const said = sentences(body).join(" ");
  return new Trouble(title, said || `It answered with status ${status}.`, { status, offers: PASSING.has(status) ? ["retry"] : [] });
}

/** All sentences in an error body: `{"detail": …}`, or sentences in lists under the names of fields. */
export function sentences(body) {
  try {
    return collect(JSON.parse(body), []);
  } catch {
    return [];
  }
}

function collect(value, place) {
  if (typeof value === "string") return [place.length ? `${place.join(".")}: ${value}` : value];
  if (Array.isArray(value)) return value.flatMap((each) => collect(each, place));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => collect(each, NAMELESS.has(name) ? place : [...place, name]));
}

/** Why there is no microphone, from what the browser threw. */
export function microphoneTrouble(error) {
  const offers = ["retry", "no-mic"];
  switch (error?.name) {
    case "NotAllowedError":
    case "SecurityError":
      return new Trouble("The microphone is blocked",
        "Allow it for this page (usually by the icon beside the address), then try again.", { offers });
    case "NotFoundError":
    case "OverconstrainedError":
      return new Trouble("No microphone found",
        "Plug one in or choose another under “Devices and recording”, then try again.", { offers });
    case "NotReadableError":
    case "AbortError":
      return new Trouble("The microphone cannot be opened",
        "Another program may hold it: close that one, then try again.", { offers });
    default:
      return new Trouble("The microphone does not work", `The browser says: ${error?.message || "nothing"}.`, { offers });
  }
}

export function insecure() {
  const port = location.port ? `:${location.port}` : "";
  return new Trouble("This page came over plain http",
    "Browsers give the microphone only to pages that come over https, or from this machine itself: " +
    `open https://${location.hostname}, or http://localhost${port} on the server's machine.`, { offers: ["no-mic"] });
}

export function unable() {
  return new Trouble("This browser cannot make calls", "It has no WebRTC. Use a current Firefox, Chrome, Edge or Safari.");
}
