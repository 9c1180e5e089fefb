// The workbench: what is entered is checked as one types, and shown.

import { convert, drawing, get, onToken, post, Refused } from "./api.js";
import { at, counted, fill, h } from "./dom.js";
import { drawForms, setPayers } from "./editor.js";
import { copied, linkOf, visitInAddress } from "./link.js";
import { blank, changed, isRecord, onChange, queryOf, replace, state } from "./model.js";
import { drawResult } from "./result.js";
import { drawSwitches, setPolicies } from "./switches.js";
import { askWhyNot } from "./why.js";

const PAUSE = 200; // milliseconds after the last key
let latest = null;
let running = new AbortController();
let timer = 0;

onChange((redraw) => {
  if (redraw) {
    drawForms();
    drawSwitches();
  }
  if (document.activeElement !== at("all")) at("all").value = JSON.stringify(state.encounter, null, 2);
  fill(at("why"));
  clearTimeout(timer);
  timer = setTimeout(check, redraw ? 0 : PAUSE);
});

async function check() {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  try {
    const [result, drawn] = await Promise.all([
      post("/v1/check", queryOf(), state.encounter, signal),
      drawing(queryOf({ form: "part", show_text: "true" }), state.encounter, signal),
    ]);
    latest = result;
    fill(at("faults"));
    drawResult(result, drawn);
  } catch (error) {
    if (error.name === "AbortError") return;
    latest = null;
    refused(error);
  }
}

function refused(error) {
  const faults = error instanceof Refused ? error.faults : [{ place: "", problem: String(error), remedy: "" }];
  const status = at("status");
  status.textContent = "This cannot be checked yet.";
  status.className = "status needs_chart";
  fill(at("result"));
  fill(at("faults"), h("ul", { class: "findings" }, faults.map((each) =>
    h("li", { class: "warning" }, h("strong", {}, each.place ? `${each.place}: ` : ""), each.problem, each.remedy ? `; ${each.remedy}` : ""))));
}

const say = (text) => {
  at("notice").textContent = text;
};

/** Does something that a person asked for, and says what hinders it. */
const tried = (action) => async (event) => {
  try {
    await action(event);
  } catch (error) {
    say(error.message);
  }
};

// Files

const FORMATS = { csv: "csv", tsv: "csv", xlsx: "xlsx" };
let loaded = [];

async function load(file) {
  const ending = file.name.split(".").pop().toLowerCase();
  const query = new URLSearchParams();
  if (FORMATS[ending]) query.set("format", FORMATS[ending]);
  if (!/837|x12|edi|json/.test(ending)) query.set("setting", state.encounter.setting);
  if (at("maps").value) query.set("map", at("maps").value);
  const read = await convert(file, query);
  loaded = read.encounters;
  fill(at("records"), loaded.map((each, index) => h("option", { value: index }, each.id)));
  at("records-label").hidden = loaded.length < 2;
  const aside = read.set_aside.map((each) => each.reason);
  say([`${counted(loaded.length, "record")} read.`, ...aside, ...read.notes.map((each) => each.message)].join(" "));
  if (loaded.length) replace(structuredClone(loaded[0]), {});
}

at("load").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", tried(async () => {
  const [file] = at("file").files;
  at("file").value = "";
  if (file) await load(file);
}));
at("records").addEventListener("change", () => replace(structuredClone(loaded[at("records").value])));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", tried(async (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer.files;
  if (file) await load(file);
}));

// Text, examples, copies

at("all").addEventListener("input", () => {
  try {
    const record = JSON.parse(at("all").value);
    if (!isRecord(record)) throw new SyntaxError("not one object");
    at("all-fault").textContent = "";
    replace(record);
  } catch {
    at("all-fault").textContent = "This is no JSON of one encounter yet.";
  }
});
at("clear").addEventListener("click", () => {
  at("examples").value = "";
  at("records-label").hidden = true;
  say("");
  replace(blank(), {});
});

async function copy(text, what) {
  if (await copied(text)) {
    say(`${what} copied.`);
    return;
  }
  at("by-hand-text").value = text;
  at("by-hand").showModal();
  at("by-hand-text").select();
}

at("copy-result").addEventListener("click", tried(async () => {
  if (latest) await copy(JSON.stringify(latest, null, 2), "The result was");
}));
at("copy-claim").addEventListener("click", tried(async () => {
  if (latest?.corrected) await copy(JSON.stringify(latest.corrected, null, 2), "The claim to send was");
  else say(latest?.withheld ?? "There is no claim to send.");
}));
at("copy-link").addEventListener("click", tried(async () => {
  await copy(await linkOf({ encounter: state.encounter, policies: state.policies }), "A link was");
}));
at("why-form").addEventListener("submit", tried(async (event) => {
  event.preventDefault();
  await askWhyNot(at("why-code").value.trim().toUpperCase(), at("why"));
}));

// The start

onToken(() => new Promise((resolve) => {
  const dialog = at("token");
  dialog.addEventListener("close", () => {
    resolve(at("token-text").value);
    at("token-text").value = "";
  }, { once: true });
  dialog.showModal();
}));

async function start() {
  const visit = await visitInAddress();
  // One after the other, so that a token is asked for once.
  const { payers } = await get("/v1/payers");
  const [{ policies }, { codes }, { examples }, { maps }] = await Promise.all(
    ["policies", "codes", "examples", "maps"].map((name) => get(`/v1/${name}`)));
  at("maps").append(...maps.map((name) => h("option", { value: name }, name.replaceAll("-", " "))));
  setPayers(payers);
  setPolicies(policies);
  fill(at("codes"), codes.map((each) => h("option", { value: each.code }, each.label)));
  at("examples").append(...examples.map((each, index) => h("option", { value: index }, each.name.replaceAll("-", " "))));
  at("examples").addEventListener("change", () => {
    const example = examples[at("examples").value];
    if (example) replace(structuredClone(example.encounter), {});
  });
  window.addEventListener("hashchange", tried(async () => take(await visitInAddress())));
  if (!take(visit)) changed(true);
}

function take(visit) {
  if (!isRecord(visit?.encounter)) return false;
  replace(visit.encounter, isRecord(visit.policies) ? visit.policies : {});
  return true;
}

start().catch((error) => say(error.message));
