"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const scroll = $("scroll"), track = $("track"), audio = $("audio");
  const END = Math.max(data.duration_s, 0.1);
  const MAX_SCALE = 800;
  let scale = 1, position = 0, playing = false, waiting = false;

  // ---- small helpers ---------------------------------------------------------------------------
  const clock = (s, digits = 1) => {
    const tenths = Math.round(Math.max(0, s) * 10 ** digits);
    const whole = Math.floor(tenths / 10 ** digits);
    const rest = digits ? "." + String(tenths % 10 ** digits).padStart(digits, "0") : "";
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}${rest}`;
  };
  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;   // text only, never markup
    return element;
  };
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const ms = (value) => (value === null || value === undefined ? "–" : `${Math.round(value)} ms`);
  const octets = (base64) => {
    const text = atob(base64), out = new Int8Array(text.length);
    for (let at = 0; at < text.length; at++) out[at] = (text.charCodeAt(at) << 24) >> 24;
    return out;
  };
  const toolText = (tool) => `${tool.name}(${tool.arguments})`;
  const toolAnswer = (tool) => (tool.error ? `failed: ${tool.error}` : tool.result === null ? "no answer" : tool.result);

  // ---- waves: each peak is a pair (lowest, highest) of int8 ---------------------------------------
  const peaks = { caller: octets(data.peaks.caller), agent: octets(data.peaks.agent) };
  let loudest = 8;
  for (const side of Object.values(peaks)) for (const value of side) loudest = Math.max(loudest, Math.abs(value));

  function surface(canvas, height) {
    const width = scroll.clientWidth, ratio = window.devicePixelRatio || 1;
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    return [pen, width];
  }

  function drawWave(side, colour, line) {
    const height = 84, middle = height / 2, values = peaks[side];
    const [pen, width] = surface($(side), height);
    const from = scroll.scrollLeft;
    pen.fillStyle = line;
    pen.fillRect(0, middle - 0.5, Math.min(width, END * scale - from), 1);
    pen.fillStyle = colour;
    const gain = (middle - 4) / loudest, perPixel = 1 / (scale * data.peaks.bucket_s);
    for (let x = 0; x < width; x++) {
      const first = Math.floor((from + x) * perPixel);
      const last = Math.max(first + 1, Math.floor((from + x + 1) * perPixel));
      let low = 0, high = 0;
      for (let at = first; at < last && 2 * at < values.length; at++) {
        if (values[2 * at] < low) low = values[2 * at];
        if (values[2 * at + 1] > high) high = values[2 * at + 1];
      }
      if (high - low > 1) pen.fillRect(x, middle - high * gain, 1, Math.max(1, (high - low) * gain));
    }
  }

  function drawAxis(style) {
    const [pen, width] = surface($("axis"), 26);
    const step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((s) => s * scale >= 78) || 1200;
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    pen.font = "12px " + style.fontFamily;
    pen.textBaseline = "middle";
    const from = scroll.scrollLeft;
    for (let n = Math.floor(from / scale / step); n * step <= END; n++) {
      const x = n * step * scale - from;
      if (x > width) break;
      pen.fillStyle = style.getPropertyValue("--line");
      pen.fillRect(Math.round(x), 17, 1, 9);
      pen.fillStyle = style.getPropertyValue("--soft");
      const label = clock(n * step, digits);
      if (n * step * scale + 4 + pen.measureText(label).width <= END * scale) pen.fillText(label, x + (n ? 4 : 12), 12);
    }
  }

  function draw() {
    waiting = false;
    const style = getComputedStyle(document.body);
    drawAxis(style);
    for (const side of ["caller", "agent"]) drawWave(side, style.getPropertyValue("--" + side), style.getPropertyValue("--line"));
    for (const name of track.querySelectorAll(".name")) name.style.transform = `translateX(${scroll.scrollLeft}px)`;
  }
  const drawSoon = () => { if (!waiting) { waiting = true; requestAnimationFrame(draw); } };

  // ---- items on the axis --------------------------------------------------------------------------
  const placed = [];   // [element, from, to, least width, room up to]

  function put(lane, from, to, className, title, least = 3, room = null) {
    const element = make("div", "item " + className);
    element.title = title;
    element.addEventListener("click", (event) => { event.stopPropagation(); seek(from); });
    lane.append(element);
    lane.parentElement.hidden = false;
    placed.push([element, from, to, least, room]);
    return element;
  }

  function words(element, line) {
    element.append(line.text);
    if (!line.unheard_text) return;
    if (!/^[\s,.;:!?]/.test(line.unheard_text)) element.append(" ");
    element.append(make("span", "unseen", "not heard: "), make("del", "", line.unheard_text));
  }

  // An item whose words may spread over the silence behind it.
  function putWords(lane, from, to, className, title, room) {
    const clip = make("div", "clip");
    put(lane, from, to, className + " spread", title, 8, room).append(clip);
    return clip;
  }

  for (const turn of data.turns) {
    if (turn.latency_ms === null) continue;
    const [from, to] = [turn.caller_end_s, turn.response_start_s].sort((a, b) => a - b);
    const item = put($("timing"), from, to, "latency" + (turn.latency_ms > 1500 ? " slow" : ""), `response latency ${ms(turn.latency_ms)}`);
    item.append(make("span", "", String(Math.round(turn.latency_ms))));
  }
  for (const cut of data.interruptions) {
    const item = put($("timing"), cut.caller_start_s, cut.caller_start_s + cut.overrun_ms / 1000, "overrun", `the agent went on for ${ms(cut.overrun_ms)} after the caller began`);
    item.append(make("span", "", String(Math.round(cut.overrun_ms))));
    const band = make("div", "cut");
    $("cuts").append(band);
    placed.push([band, cut.caller_start_s, cut.caller_start_s + cut.overrun_ms / 1000, 2, null]);
  }
  data.states.forEach((change, at) => {
    const to = at + 1 < data.states.length ? data.states[at + 1].at_s : END;
    const known = ["idle", "listening", "thinking", "speaking"].includes(change.state) ? change.state : "";
    put($("states"), change.at_s, to, known, `${change.state}, ${clock(change.at_s, 2)} to ${clock(to, 2)}`).append(change.state);
  });
  for (const [role, lane] of [["user", $("caller-said")], ["agent", $("agent-said")]]) {
    const lines = data.transcripts.filter((line) => line.role === role);
    lines.forEach((line, at) => {
      const room = at + 1 < lines.length ? lines[at + 1].start_s : END;
      const title = line.text + (line.unheard_text ? `  [not heard: ${line.unheard_text}]` : "");
      words(putWords(lane, line.start_s, line.end_s, role === "user" ? "caller" : "agent", title, room), line);
    });
  }
  data.tools.forEach((tool, at) => {
    const room = at + 1 < data.tools.length ? data.tools[at + 1].at_s : END;
    const text = `${toolText(tool)} → ${toolAnswer(tool)}`;
    putWords($("tools"), tool.at_s, tool.done_s === null ? tool.at_s : tool.done_s, "tool" + (tool.error ? " failed" : ""), text, room).append(text);
  });
  data.inputs.forEach((input, at) => {
    const room = at + 1 < data.inputs.length ? data.inputs[at + 1].start_s : END;
    const to = input.start_s + input.duration_s;
    putWords($("inputs"), input.start_s, to, "file", `${input.name}, ${clock(input.start_s, 2)} to ${clock(to, 2)}`, room).append(input.name);
  });

  function layOut() {
    track.style.width = Math.max(scroll.clientWidth, Math.ceil(END * scale)) + "px";
    for (const [element, from, to, least, room] of placed) {
      let width = Math.max(least, (to - from) * scale);
      // Words may spread into the silence behind them, as far as the next ones.
      if (room !== null) width = Math.max(width, Math.min(340, (room - from) * scale - 3));
      element.style.left = from * scale + "px";
      element.style.width = width + "px";
      if (room !== null) element.style.setProperty("--true", Math.max(least, (to - from) * scale) + "px");
      if (!element.classList.contains("item")) continue;
      element.classList.toggle("tight", width < 14);
      element.classList.toggle("mute", element.parentElement.id === "states" && width < 58);
    }
    place();
    drawSoon();
  }

  // ---- zoom and position ---------------------------------------------------------------------------
  const fitting = () => (scroll.clientWidth - 1) / END;

  function zoom(to, anchor = null) {
    const x = anchor === null ? clamp(position * scale - scroll.scrollLeft, 0, scroll.clientWidth) : anchor;
    const at = (scroll.scrollLeft + x) / scale;
    scale = clamp(to, fitting(), Math.max(MAX_SCALE, fitting()));
    layOut();
    scroll.scrollLeft = at * scale - x;
    drawSoon();
  }

  function place() {
    $("head").style.left = position * scale + "px";
    $("clock").textContent = `${clock(position)} / ${clock(END)}`;
    scroll.setAttribute("aria-valuenow", position.toFixed(2));
    scroll.setAttribute("aria-valuetext", clock(position, 2));
    for (const row of $("story").children) {
      row.classList.toggle("now", playing && position >= Number(row.dataset.from) && position < Number(row.dataset.to));
    }
  }

  function seek(to, follow = true) {
    position = clamp(to, 0, END);
    if (!playing || Math.abs(audio.currentTime - position) > 0.05) { try { audio.currentTime = position; } catch { /* no audio */ } }
    place();
    const x = position * scale;
    if (follow && (x < scroll.scrollLeft || x > scroll.scrollLeft + scroll.clientWidth - 20)) scroll.scrollLeft = x - scroll.clientWidth / 4;
  }

  function step() {
    if (!playing) return;
    position = clamp(audio.currentTime, 0, END);
    place();
    const x = position * scale;
    if (x > scroll.scrollLeft + scroll.clientWidth * 0.9 || x < scroll.scrollLeft) scroll.scrollLeft = x - scroll.clientWidth * 0.1;
    requestAnimationFrame(step);
  }

  const playable = () => !$("play").hidden;
  const toggle = () => { if (playable()) audio.paused ? audio.play() : audio.pause(); };
  audio.addEventListener("loadedmetadata", () => { $("play").hidden = false; $("space-key").hidden = false; });
  audio.addEventListener("error", () => { $("play").hidden = true; $("space-key").hidden = true; });
  audio.addEventListener("play", () => { playing = true; $("play").textContent = "Pause"; step(); });
  for (const over of ["pause", "ended"]) audio.addEventListener(over, () => { playing = false; $("play").textContent = "Play"; place(); });
  if (data.audio) audio.src = data.audio;

  $("play").addEventListener("click", toggle);
  $("in").addEventListener("click", () => zoom(scale * 1.6));
  $("out").addEventListener("click", () => zoom(scale / 1.6));
  $("fit").addEventListener("click", () => zoom(fitting()));
  scroll.addEventListener("scroll", drawSoon, { passive: true });
  scroll.addEventListener("click", (event) => seek((event.clientX - scroll.getBoundingClientRect().left + scroll.scrollLeft) / scale, false));
  scroll.addEventListener("pointermove", (event) => {
    const at = (event.clientX - scroll.getBoundingClientRect().left + scroll.scrollLeft) / scale;
    $("hover").hidden = event.pointerType === "touch" || at > END;
    $("hover").style.left = at * scale + "px";
    if (!$("hover").hidden) $("clock").textContent = `${clock(at, 2)} / ${clock(END)}`;
  });
  scroll.addEventListener("pointerleave", () => { $("hover").hidden = true; place(); });
  scroll.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - scroll.getBoundingClientRect().left);
  }, { passive: false });
  const keys = {
    ArrowLeft: (e) => seek(position - (e.shiftKey ? 5 : 0.5)), ArrowRight: (e) => seek(position + (e.shiftKey ? 5 : 0.5)),
    ArrowDown: () => seek(position - 0.1), ArrowUp: () => seek(position + 0.1),
    PageUp: () => seek(position + 10), PageDown: () => seek(position - 10), Home: () => seek(0), End: () => seek(END),
    "+": () => zoom(scale * 1.6), "=": () => zoom(scale * 1.6), "-": () => zoom(scale / 1.6), 0: () => zoom(fitting()), " ": toggle,
  };
  scroll.addEventListener("keydown", (event) => {
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act) { event.preventDefault(); act(event); }
  });
  window.addEventListener("resize", () => zoom(Math.max(scale, fitting())));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawSoon);

  // ---- head, story, turns -----------------------------------------------------------------------------
  $("subtitle").textContent = data.subtitle;
  for (const [name, value, unit, bad] of data.facts) {
    const fact = make("div", bad ? "bad" : ""), shown = make("dd", "", value);
    if (unit) shown.append(" ", make("small", "", unit));
    fact.append(make("dt", "", name), shown);
    $("facts").append(fact);
  }
  for (const note of data.notes) { $("notes").hidden = false; $("notes").querySelector("ul").append(make("li", "", note)); }

  const timeButton = (at) => {
    const button = make("button", "", clock(at));
    button.type = "button";
    button.addEventListener("click", () => seek(at));
    return button;
  };
  const story = [
    ...data.tools.map((tool) => [tool.at_s, tool.at_s, "tool", tool]), // first: an answer may begin at the same instant
    ...data.transcripts.map((line) => [line.start_s, line.end_s, line.role === "user" ? "caller" : "agent", line]),
    ...data.cuts.map((cut) => [cut.at_s, cut.at_s, "cut-off", cut]),
  ].sort((a, b) => a[0] - b[0]);
  for (const [from, to, kind, what] of story) {
    const row = make("li", kind), text = make("p");
    row.dataset.from = from;
    row.dataset.to = to;
    if (kind === "tool") text.append(make("b", "", "Tool"), make("code", "", toolText(what)), " → ", make("code", "", toolAnswer(what)));
    else if (kind === "cut-off") text.append(make("b", "", "Interrupted"), "the caller began to speak over the agent");
    else {
      text.append(make("b", "", kind === "caller" ? "Caller" : "Agent"));
      words(text, what);
    }
    row.append(timeButton(from), text);
    $("story").append(row);
  }
  if (!story.length) $("story").append(make("li", "none", "Nothing was said."));

  if (data.turns.length) {
    const table = make("table"), head = make("tr");
    for (const name of ["Caller spoke", "until", "agent after", "overrun"]) { const cell = make("th", "", name); cell.scope = "col"; head.append(cell); }
    table.append(make("thead"), make("tbody"));
    table.tHead.append(head);
    for (const turn of data.turns) {
      const row = make("tr"), first = make("td");
      const cut = data.interruptions.find((each) => each.caller_start_s >= turn.caller_start_s && each.caller_start_s < turn.caller_end_s);
      first.append(timeButton(turn.caller_start_s));
      row.append(first, make("td", "", clock(turn.caller_end_s)), make("td", "", ms(turn.latency_ms)), make("td", "", cut ? ms(cut.overrun_ms) : ""));
      table.tBodies[0].append(row);
    }
    $("turns").append(table);
  } else $("turns").append(make("p", "none", "The caller was never audible."));

  scroll.setAttribute("aria-valuemax", END.toFixed(2));
  zoom(fitting() >= 16 ? fitting() : 26, 0);   // all of it, if it can be read so
})();
