// The forms of the visit, its chart and its claim. They write into the model as one types.

import { at, fill, fresh, h } from "./dom.js";
import { asList, changed, isRecord, put, readNumber, readTime, shownTime, state } from "./model.js";

const ROUTES = ["IV", "IM", "SC", "IA", "PO", "INH", "IN", "IT", "SL", "PR", "TOP"];
const METHODS = ["push", "infusion", "injection"];
const PURPOSES = [
  "treatment", "hydration", "keep_open", "flush", "drug_carrier", "imaging", "procedure",
  "premedication", "pump_refill", "declotting",
];

let payers = [];

/** Hands in the payers that can be chosen. */
export function setPayers(listed) {
  payers = listed;
}

/** Draws all forms anew. */
export function drawForms() {
  drawVisit();
  drawChart();
  drawClaim();
}

function field(label, input, wide = "") {
  const id = fresh("f");
  input.id = id;
  return h("div", { class: `field ${wide}` }, h("label", { for: id }, label), input);
}

function text(label, record, name, { read = (value) => value.trim(), show = (value) => value ?? "", ...more } = {}) {
  const { wide, ...attributes } = more;
  const input = h("input", {
    type: "text", autocomplete: "off", spellcheck: "false", value: show(record[name]), ...attributes,
    oninput: () => {
      put(record, name, read(input.value));
      changed();
    },
  });
  return field(label, input, wide);
}

function choice(label, record, name, options, { none = "not stated", ...more } = {}) {
  const known = new Set(options.map(([value]) => value));
  const value = record[name] ?? "";
  // What a file brought and this list does not know stays as it is.
  const extra = value && !known.has(value) ? [[value, value]] : [];
  const empty = none === null ? [] : [["", none]];
  const all = [...empty, ...options, ...extra];
  const select = h("select", {
    onchange: () => {
      put(record, name, select.value);
      changed();
    },
  }, all.map(([key, said]) => h("option", { value: key }, said)));
  select.value = value;
  return field(label, select, more.wide);
}

const words = (list) => list.map((word) => [word, word.replaceAll("_", " ")]);

function drawVisit() {
  const visit = state.encounter;
  fill(
    at("visit"),
    h("div", { class: "fields" },
      text("Visit", visit, "id"),
      choice("Setting", visit, "setting", [["facility", "facility"], ["professional", "professional"]], { none: null }),
      text("Date", visit, "date", { placeholder: "2026-03-02", inputmode: "numeric" }),
      choice("Payer", visit, "payer", payers.map((each) => [each.id, each.title]), { none: "none named", wide: "wide" }),
      text("Type of bill", visit, "type_of_bill", { placeholder: "131", inputmode: "numeric" }),
      text("Place of service", visit, "place_of_service", { placeholder: "11", inputmode: "numeric" }),
      text("Diagnoses", visit, "diagnoses", {
        show: (value) => asList(value).join(" "), read: list, wide: "wide",
      }),
    ),
  );
}

const list = (value) => value.split(/[\s,]+/).filter(Boolean);

function listOf(name) {
  if (!Array.isArray(state.encounter[name])) state.encounter[name] = [];
  return state.encounter[name];
}

function remove(name, index, box, addButton) {
  const rows = state.encounter[name];
  rows.splice(index, 1);
  if (!rows.length) delete state.encounter[name];
  changed(true);
  // The focus stays where the hands are.
  const buttons = at(box).querySelectorAll(".remove");
  (buttons[Math.min(index, buttons.length - 1)] ?? at(addButton)).focus();
}

const removal = (label, onclick) =>
  h("button", { type: "button", class: "remove", "aria-label": label, onclick }, "Remove");

function drawChart() {
  const rows = asList(state.encounter.administrations);
  fill(
    at("chart"),
    rows.length ? null : h("p", { class: "soft" }, "Nothing given yet. Add what was given, load a file, or choose an example."),
    rows.map(administration),
    h("button", { type: "button", id: "add-dose", onclick: addDose }, "Add an administration"),
  );
}

function administration(dose, index) {
  if (!isRecord(dose)) return null;
  const time = { read: readTime, show: shownTime, placeholder: "10:00", inputmode: "text" };
  return h("fieldset", { class: "row" },
    h("legend", {}, `Administration ${dose.id || index + 1}`),
    h("div", { class: "fields" },
      text("Drug", dose, "drug", { wide: "wide" }),
      choice("Route", dose, "route", words(ROUTES)),
      choice("Charted as", dose, "method", words(METHODS)),
      text("Start", dose, "start", time),
      text("Stop", dose, "stop", time),
      text("Minutes", dose, "minutes", { read: readNumber, inputmode: "numeric" }),
      text("Site", dose, "site", { wide: "wide" }),
      choice("Purpose", dose, "purpose", words(PURPOSES)),
      removal(`Remove administration ${dose.id || index + 1}`, () => remove("administrations", index, "chart", "add-dose")),
    ),
  );
}

function addDose() {
  const rows = listOf("administrations");
  const taken = new Set(rows.map((each) => each?.id));
  let number = rows.length + 1;
  while (taken.has(`a${number}`)) number += 1;
  const before = rows.at(-1);
  rows.push({ id: `a${number}`, route: before?.route ?? "IV", method: "push", ...(before?.site ? { site: before.site } : {}) });
  changed(true);
  [...at("chart").querySelectorAll("fieldset")].at(-1).querySelector("input").focus();
}

function drawClaim() {
  const lines = asList(state.encounter.lines);
  fill(
    at("claim"),
    lines.length ? null : h("p", { class: "soft" }, "No claim yet: only what the chart supports is told."),
    lines.map(claimLine),
    h("button", { type: "button", id: "add-line", onclick: addLine }, "Add a line"),
  );
}

function claimLine(line, index) {
  if (!isRecord(line)) return null;
  return h("fieldset", { class: "row" },
    h("legend", {}, `Line ${line.number ?? index + 1}`),
    h("div", { class: "fields" },
      text("Code", line, "code", { list: "codes", read: (value) => value.trim().toUpperCase() }),
      text("Units", line, "units", { read: readNumber, inputmode: "numeric" }),
      text("Modifiers", line, "modifiers", {
        show: (value) => asList(value).join(" "), read: (value) => list(value.toUpperCase()),
      }),
      text("Date", line, "date", { placeholder: "as the visit" }),
      text("Revenue code", line, "revenue_code", { inputmode: "numeric" }),
      removal(`Remove line ${line.number ?? index + 1}`, () => remove("lines", index, "claim", "add-line")),
    ),
  );
}

function addLine() {
  const lines = listOf("lines");
  const number = 1 + Math.max(0, ...lines.map((each) => Number(each?.number) || 0));
  lines.push({ number, units: 1 });
  changed(true);
  [...at("claim").querySelectorAll("fieldset")].at(-1).querySelector("input").focus();
}
