/**
 * One call's connection: WebRTC by WHIP (RFC 9725), one data channel with JSON messages both ways.
 *
 * POST an offer to /calls/{callId}/whip with the join token, get the answer; DELETE its Location to hang up. A
 * connection that breaks is made anew with the same token for REJOIN_MS, because the server keeps the call that long.
 *
 * Events: "message" (detail: the message), "stream" (detail: the agent's audio), "lost", "back", "over".
 */
import { Trouble, refused, unreachable } from "./trouble.js";

const GATHER_MS = 500;
const CONNECT_MS = 10_000;
const RECONNECT_MS = 6_000;
const REQUEST_MS = 10_000;
const SERVERS_MS = 2_000;
const PING_MS = 5_000;
const REJOIN_MS = 20_000;
const REJOIN_EVERY_MS = 1_000;
const TOLD_AFTER_MS = 700; // most often it is back by then, or the call is over
const BREAK_MS = 3_000; // a connection may be interrupted for so long before it counts as lost
const GONE = new Set([401, 403, 404, 410]);
export const LABEL = "tipring";
const CLIENT = "softphone";

/** What a join URL of a WebRTC call says; null if it is none. */
export function readJoinUrl(text) {
  let url;
  try {
    url = new URL(text.trim());
  } catch {
    return null;
  }
  const match = /^(.*)\/calls\/([0-9a-f-]{36})\/([\w-]{20,64})\/(\w+)\/?$/.exec(url.pathname);
  return match && { host: url.host, base: match[1], callId: match[2], token: match[3], medium: match[4] };
}

/** Whether two hosts are one server: the machine of this page has several names. */
export function sameServer(one, other) {
  const plain = (host) => host.toLowerCase().replace(/^(localhost|127(\.\d+){3}|\[::1\])(?=:|$)/, "localhost");
  return plain(one) === plain(other);
}

/** What a Link header says of STUN and TURN servers (RFC 9725, 4.6). */
export function readIceServers(header) {
  const servers = [];
  for (const [, urls, more] of (header ?? "").matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+="(?:[^"\\]|\\.)*")*)/g)) {
    const said = {};
    for (const [, name, value] of more.matchAll(/([\w-]+)="((?:[^"\\]|\\.)*)"/g)) said[name] = value.replace(/\\(.)/g, "$1");
    const { rel, username, credential } = said;
    if (rel === "ice-server") servers.push(username === undefined ? { urls } : { urls, username, credential });
  }
  return servers;
}

export class Connection extends EventTarget {
  #path; #token; #track; #pc; #channel; #location; #ping; #servers; #over = false; #joining = null; #breaking;

  constructor({ callId, token, base = "" }) {
    super();
    this.#path = `${base}/calls/${callId}/whip`;
    this.#token = token;
    this.roundTripMs = null;
  }

  /** Join with a microphone (or silent) track; resolves once messages can be sent. Throws Trouble. */
  async open(track) {
    this.#track = track;
    try {
      await this.#join();
    } catch (trouble) {
      this.close();
      throw trouble;
    }
    this.#ping = setInterval(() => this.send({ type: "ping", timestamp: Date.now() / 1000 }), PING_MS);
  }

  /** Send a message; false when there is no connection at the moment. */
  send(message) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** Speak into another track from now on. */
  async use(track) {
    this.#track = track;
    await this.#pc?.getSenders()[0]?.replaceTrack(track);
  }

  /** Hang up. */
  hangUp() {
    const location = this.#location;
    this.close();
    // Also when the page goes away: `keepalive` lets the request outlive it.
    if (location) fetch(location, { method: "DELETE", headers: this.#headers(), keepalive: true }).catch(() => {});
  }

  /** Be gone without a word. */
  close() {
    this.#over = true;
    clearInterval(this.#ping);
    this.#drop();
  }

  async #join(limitMs = CONNECT_MS) {
    const iceServers = (this.#servers ??= await this.#iceServers());
    if (this.#over) return;
    const pc = new RTCPeerConnection({ iceServers: iceServers ?? [], bundlePolicy: "max-bundle" });
    this.#pc = pc;
    const channel = pc.createDataChannel(LABEL);
    pc.addTransceiver(this.#track, { direction: "sendrecv" });
    pc.ontrack = ({ streams, track }) => this.#tell("stream", streams[0] ?? new MediaStream([track]));
    channel.onmessage = ({ data }) => this.#take(data);
    await pc.setLocalDescription();
    await gathered(pc);
    const answer = await this.#offer(pc.localDescription.sdp);
    if (this.#over || this.#pc !== pc) return;
    await Promise.all([opened(pc, channel, limitMs), pc.setRemoteDescription({ type: "answer", sdp: answer })]);
    this.#channel = channel;
    channel.onclose = () => this.#lose(pc);
    pc.onconnectionstatechange = () => this.#watch(pc);
  }

  /** The STUN and TURN servers that the server wants us to use; null without its word. */
  async #iceServers() {
    try {
      const signal = AbortSignal.timeout(SERVERS_MS);
      const response = await fetch(this.#path, { method: "OPTIONS", headers: this.#headers(), signal });
      return response.ok ? readIceServers(response.headers.get("Link")) : null;
    } catch {
      return null; // the offer tells what is wrong
    }
  }

  async #offer(sdp) {
    let response, body;
    try {
      response = await fetch(`${this.#path}?clientVersion=${CLIENT}`, {
        method: "POST",
        headers: { ...this.#headers(), "Content-Type": "application/sdp" },
        body: sdp,
        signal: AbortSignal.timeout(REQUEST_MS),
      });
      body = await response.text();
    } catch {
      throw unreachable();
    }
    if (!response.ok) throw refused("The server did not take the call", response.status, body);
    const place = response.headers.get("Location") ?? this.#path;
    this.#location = new URL(place, document.baseURI).pathname; // on this server, whatever name it knows itself by
    return body;
  }

  #headers() {
    return { Authorization: `Bearer ${this.#token}` };
  }

  #take(data) {
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // not one of ours
    }
    if (message?.type === "pong" && Number.isFinite(message.timestamp)) {
      this.roundTripMs = Math.max(0, Date.now() - 1000 * message.timestamp);
    }
    if (typeof message?.type === "string") this.#tell("message", message);
  }

  #watch(pc) {
    clearTimeout(this.#breaking);
    if (pc.connectionState === "disconnected") {
      this.#breaking = setTimeout(() => this.#lose(pc), BREAK_MS);
    } else if (pc.connectionState === "failed" || pc.connectionState === "closed") {
      this.#lose(pc);
    }
  }

  /** The connection broke, or the server ended the call: asking to join again tells which. */
  #lose(pc) {
    if (this.#over || this.#pc !== pc || this.#joining) return;
    this.#drop();
    this.#joining = this.#rejoin().finally(() => { this.#joining = null; });
  }

  async #rejoin() {
    const untilMs = performance.now() + REJOIN_MS;
    let told = false;
    const telling = setTimeout(() => { told = true; this.#tell("lost"); }, TOLD_AFTER_MS);
    try {
      while (!this.#over && performance.now() < untilMs) {
        try {
          await this.#join(RECONNECT_MS);
          if (told) this.#tell("back");
          return;
        } catch (trouble) {
          this.#drop();
          if (GONE.has(trouble.status)) break;
        }
        await new Promise((done) => setTimeout(done, REJOIN_EVERY_MS));
      }
    } finally {
      clearTimeout(telling);
    }
    if (!this.#over) {
      this.close();
      this.#tell("over");
    }
  }

  #drop() {
    clearTimeout(this.#breaking);
    const pc = this.#pc;
    this.#pc = this.#channel = undefined;
    pc?.close();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function gathered(pc) {
  return new Promise((done) => {
    const timer = setTimeout(done, GATHER_MS);
    const look = () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      done();
    };
    pc.addEventListener("icegatheringstatechange", look);
    look();
  });
}

/** Call it before the answer is known: the channel may open while that is being taken. */
function opened(pc, channel, limitMs) {
  return new Promise((done, fail) => {
    const why = "The server answered, but no media connection came about. A firewall may be in the way.";
    const timer = setTimeout(() => fail(new Trouble("No connection", why)), limitMs);
    const failed = () => { clearTimeout(timer); fail(new Trouble("No connection", why)); };
    channel.onopen = () => { clearTimeout(timer); done(); };
    channel.onclose = failed;
    pc.onconnectionstatechange = () => { if (pc.connectionState === "failed") failed(); };
  });
}
