// One rule in a dialog: what it says, why, its sources and its cases.

import { get } from "./api.js";
import { at, fill, h } from "./dom.js";

/** Opens a rule. */
export async function showRule(id) {
  const dialog = at("rule");
  const rule = await get(`/v1/rules/${encodeURIComponent(id)}`);
  fill(dialog,
    h("form", { method: "dialog", class: "bar title" },
      h("h2", { id: "rule-title" }, `${rule.id} ${rule.name}`),
      h("button", { type: "submit", autofocus: true }, "Close")),
    h("p", {}, rule.title),
    h("dl", {},
      term("Severity", `${rule.severity}, ${rule.disposition.replaceAll("_", " ")}`),
      term("In force", `from ${rule.in_force.from}${rule.in_force.to ? ` to ${rule.in_force.to}` : ""}`),
      term("When", rule.when, true), term("Must hold", rule.require, true),
      term("Says", rule.message), term("Mend", rule.fix), term("Why", rule.why), term("Not covered", rule.not_covered)),
    h("h3", {}, "Sources"), h("ul", {}, rule.cites.map(source)),
    h("h3", {}, "Cases"), h("ul", { class: "cases" }, rule.cases.map(oneCase)));
  dialog.showModal();
}

function term(name, text, code = false) {
  return text ? [h("dt", {}, name), h("dd", {}, code ? h("code", {}, text) : text)] : [];
}

function source(each) {
  const said = [each.title, each.publisher, each.edition].filter(Boolean).join(", ");
  const safe = /^https?:\/\//.test(each.url ?? "");
  const shown = safe ? h("a", { href: each.url, rel: "noreferrer noopener", target: "_blank" }, said) : said;
  return h("li", {}, shown, ` (checked ${each.checked})`);
}

function oneCase(each) {
  const parts = [each.facts, ...each.chart.split("<br>"), each.billed && `billed: ${each.billed}`].filter(Boolean);
  return h("li", {}, h("strong", {}, each.case), ` – ${each.verdict}`,
    h("ul", {}, parts.map((part) => h("li", {}, part))));
}
