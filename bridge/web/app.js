/** The softphone: the form, one call at a time, and what goes wrong with either. */
import { Api } from "./api.js";
import { Call } from "./call.js";
import { $ } from "./dom.js";
import { Setup } from "./setup.js";
import { Shortcuts } from "./shortcuts.js";
import { Stage } from "./stage.js";
import { showTrouble } from "./trouble-box.js";
import { Trouble, unable } from "./trouble.js";

const api = new Api();
const stage = new Stage(api);
const setup = new Setup(() => startCall());
const shortcuts = new Shortcuts();
let loaded; // whether the server has told its agents: a promise

function loadAgents() {
  loaded = askForAgents();
  return loaded;
}

/** Ask the server for its agents; false, and said why, if it does not tell. */
async function askForAgents() {
  const key = $("api-key").value;
  api.key = key;
  try {
    setup.showAgents(await api.agents());
    setup.needsKey = false;
    showTrouble(null);
    return true;
  } catch (trouble) {
    setup.needsKey = trouble.status === 401;
    const asked = trouble.status === 401 && !key; // the field for it says enough
    showTrouble(asked ? null : trouble, { retry: loadAgents });
    return false;
  }
}

async function startCall() {
  if (document.body.dataset.phase !== "setup" || $("call-button").disabled) return;
  showTrouble(null);
  setup.busy = true;
  const again = { retry: startCall, "no-mic": () => { $("no-mic").checked = true; startCall(); } };
  try {
    if (!setup.byUrl && !(await loaded) && !(await loadAgents())) return;
    const choice = setup.choice;
    const call = new Call(api, $("out"));
    stage.prepare(call, choice);
    await call.start(choice);
    stage.show(call, choice);
  } catch (trouble) {
    stage.forget();
    if (trouble.status === 401 && !setup.byUrl) setup.needsKey = true;
    showTrouble(trouble, again);
  } finally {
    setup.busy = false;
    setup.listDevices(); // their names are told only once a microphone was opened
  }
}

function showSetup() {
  showTrouble(null);
  stage.go("setup");
  $("call-button").focus();
}

$("again").onclick = showSetup;
$("api-key").onchange = loadAgents;
shortcuts.add("c", "Call", () => document.body.dataset.phase === "setup" && (startCall(), true));
stage.bind(shortcuts);
shortcuts.add("?", "Show these keys", () => { $("shortcuts").showModal(); });
addEventListener("pagehide", () => stage.hangUp());
$("where").textContent = location.host;
setup.listDevices();
if ("RTCPeerConnection" in window) {
  await loadAgents();
} else {
  showTrouble(unable());
  $("call-button").disabled = true;
}
document.body.dataset.ready = "yes";

addEventListener("unhandledrejection", ({ reason }) => {
  if (!(reason instanceof Trouble)) showTrouble(reason);
});
