/** The last seconds of both lines: the user above, the agent below, answers bridged with their time. */
const SPAN_MS = 12_000;
const FRAME_MS = 1000 / 30;
const CALM_MS = 250; // where less motion is asked for
const LOWEST_DB = -60;

/** How much of full height a level is. */
export function share(db) {
  return Math.min(1, Math.max(0, 1 - db / LOWEST_DB));
}

export class Strip {
  #canvas; #levels = []; #marks = []; #cuts = []; #frame; #lastMs = 0; #colours = {}; #muted = false;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor(canvas) {
    this.#canvas = canvas;
  }

  start() {
    this.#levels = [];
    this.#marks = [];
    this.#cuts = [];
    this.#readColours();
    this.#dark.onchange = () => this.#readColours();
    const draw = (nowMs) => {
      this.#frame = requestAnimationFrame(draw);
      if (nowMs - this.#lastMs < (this.#calm.matches ? CALM_MS : FRAME_MS)) return;
      this.#lastMs = nowMs;
      this.#draw();
    };
    this.#frame = requestAnimationFrame(draw);
  }

  /** Keep what is shown, and move no more. */
  stop() {
    cancelAnimationFrame(this.#frame);
    this.#dark.onchange = () => { this.#readColours(); this.#draw(); };
    this.#draw();
  }

  add({ atMs, lengthMs, user, agent }) {
    this.#levels.push({ atMs, lengthMs, user, agent, muted: this.#muted });
    const goneMs = atMs - SPAN_MS - 1000;
    while (this.#levels[0].atMs < goneMs) this.#levels.shift();
    while (this.#marks[0]?.atMs < goneMs) this.#marks.shift();
    while (this.#cuts[0] < goneMs) this.#cuts.shift();
  }

  set muted(muted) {
    this.#muted = muted;
  }

  /** The agent answered. */
  answer(turn) {
    this.#marks.push(turn);
  }

  /** The agent was cut off. */
  cut(atMs) {
    this.#cuts.push(atMs);
  }

  #readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["caller", "agent", "line", "edge", "soft", "hot", "ink", "card"]) {
      this.#colours[name] = style.getPropertyValue(`--${name}`).trim();
    }
  }

  #draw() {
    const canvas = this.#canvas, ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width) return;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const to = canvas.getContext("2d");
    to.setTransform(ratio, 0, 0, ratio, 0, 0);
    to.clearRect(0, 0, width, height);
    const endMs = this.#levels.at(-1)?.atMs ?? 0;
    const x = (atMs) => width - ((endMs - atMs) / SPAN_MS) * width;
    this.#drawGrid(to, x, endMs, width, height);
    this.#drawLevels(to, x, height, width);
    this.#drawCuts(to, x, height);
    this.#drawMarks(to, x, height);
  }

  #drawGrid(to, x, endMs, width, height) {
    to.fillStyle = this.#colours.line;
    for (let ms = Math.floor(endMs / 1000) * 1000; ms > endMs - SPAN_MS; ms -= 1000) to.fillRect(x(ms), 0, 1, height);
    to.fillRect(0, height / 2 - 0.5, width, 1);
  }

  #drawLevels(to, x, height, width) {
    const middle = height / 2, room = middle - 4, { caller, agent, edge } = this.#colours;
    const wide = (20 / SPAN_MS) * width + 0.6; // a little more than its time: no seams
    for (const { atMs, lengthMs, user, agent: far, muted } of this.#levels) {
      const left = x(atMs - lengthMs);
      if (left < -wide) continue;
      to.fillStyle = muted ? edge : caller;
      const up = Math.max(0.7, share(user) * room);
      to.fillRect(left, middle - 2 - up, wide, up);
      to.fillStyle = agent;
      const down = Math.max(0.7, share(far) * room);
      to.fillRect(left, middle + 2, wide, down);
    }
  }

  #drawCuts(to, x, height) {
    to.fillStyle = this.#colours.hot;
    for (const atMs of this.#cuts) to.fillRect(x(atMs) - 1, height / 2, 2, height / 2);
  }

  #drawMarks(to, x, height) {
    to.font = "600 12px system-ui, sans-serif";
    to.textBaseline = "middle";
    to.lineWidth = 1.5;
    for (const { ms, atMs, endMs } of this.#marks) {
      const from = x(endMs), until = x(atMs), middle = height / 2;
      to.strokeStyle = this.#colours.ink;
      to.beginPath();
      to.moveTo(from, middle - 5);
      to.lineTo(from, middle);
      to.lineTo(until, middle);
      to.lineTo(until, middle + 5);
      to.stroke();
      const text = `${ms} ms`, wide = to.measureText(text).width;
      const left = Math.max(2, (from + until - wide) / 2);
      to.fillStyle = this.#colours.card;
      to.fillRect(left - 3, middle - 22, wide + 6, 16);
      to.fillStyle = this.#colours.ink;
      to.fillText(text, left, middle - 13.5);
    }
  }
}
