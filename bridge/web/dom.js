/** Small helpers for the page. */

/** The element with this id. */
export const $ = (id) => document.getElementById(id);

/** Make an element: make("p", {class: "hint", onclick: f}, "text", child). Text is text, never HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list" && key !== "form") element[key === "class" ? "className" : key] = value;
    else element.setAttribute(key === "class" ? "class" : key, value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/** Minutes and seconds: "1:05". */
export function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Tell screen readers, once, without taking the focus. */
export function tell(text) {
  $("told").textContent = "";
  setTimeout(() => { $("told").textContent = text; }, 50);
}

/** A value of the API as a person reads it. */
export function plain(value) {
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}
