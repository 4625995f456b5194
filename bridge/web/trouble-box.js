/** The place on the page where trouble is told, with ways out as buttons. */
import { $, make } from "./dom.js";
import { Trouble } from "./trouble.js";

const WORDS = { retry: "Try again", "no-mic": "Call without a microphone" };

/** Show trouble, or none; `ways` are functions by the names that a Trouble offers. */
export function showTrouble(trouble, ways = {}) {
  const box = $("trouble");
  if (!trouble) {
    box.replaceChildren();
    return;
  }
  const { title, message, offers } = known(trouble);
  const buttons = offers.filter((name) => ways[name]).map((name) => make("button", { type: "button", onclick: ways[name] }, WORDS[name]));
  box.replaceChildren(make("div", { class: "trouble" }, make("div", {}, make("b", {}, title), make("span", {}, message),
    buttons.length > 0 && make("div", { class: "row" }, ...buttons))));
  box.scrollIntoView({ block: "nearest" });
}

function known(error) {
  if (error instanceof Trouble) return error;
  console.error(error);
  return new Trouble("This page has failed", `Reload it. (${error})`);
}
