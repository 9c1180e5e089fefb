// The result in words: codes, drawing, findings, questions, and the claim to send.

import { at, counted, fill, fresh, h } from "./dom.js";
import { answer, changed, state } from "./model.js";
import { showRule } from "./rule.js";

const billed = (line) => [line.code, ...(line.modifiers ?? [])].join("-") + ` × ${line.units}`;
const listed = (lines) => lines.map(billed).join(", ") || "nothing";

/** Says in one line how it stands. */
export function statusOf(result) {
  const count = (severity) => result.violations.filter((each) => each.severity === severity).length;
  const counts = [
    [count("error"), "error"], [count("warning"), "warning"], [count("info"), "note"],
    [result.questions.length, "question"],
  ];
  const parts = counts.filter(([number]) => number).map(([number, noun]) => counted(number, noun));
  const stands = { violations: "Something is wrong", needs_chart: "Something is open", clean: "Nothing is wrong" };
  return `${[stands[result.status], parts.join(", ")].filter(Boolean).join(": ")}.`;
}

/** Draws a result; the drawing comes as elements of another document, or not at all. */
export function drawResult(result, drawn) {
  const status = at("status");
  status.textContent = statusOf(result);
  status.className = `status ${result.status}`;
  fill(
    at("result"),
    codes(result), picture(drawn), questions(result), findings(result), barred(result),
    instead(result), unjudged(result),
  );
  at("pack").textContent = [
    `ivpush ${result.ivpush}`, ...result.pack.layers.map((each) => `${each.name} ${each.version ?? each.hash.slice(0, 12)}`),
    `payer ${result.pack.payer ?? "none"}`, `rules in force on ${result.pack.in_force_on}`,
  ].join(" · ");
}

function codes(result) {
  const rows = result.suggested.map((line) =>
    h("li", {}, h("strong", { class: "code" }, billed(line)), h("span", {}, line.because)));
  return h("section", { "aria-label": "Codes to bill" },
    h("h3", {}, "Codes to bill"),
    rows.length ? h("ul", { class: "codes" }, rows) : h("p", {}, "Nothing that can be told yet."));
}

function picture(drawn) {
  const svg = drawn?.querySelector("div > svg");
  if (!svg) return null;
  const parts = [drawn.querySelector("svg"), svg, drawn.querySelector("details")];
  const [patterns, shown, table] = parts.map((each) => document.importNode(each, true));
  // Focus, because a keyboard must reach what lies beyond a narrow window.
  return h("figure", { class: "drawing" }, patterns,
    h("div", { class: "wide-drawing", tabindex: "0", role: "region", "aria-label": "Timeline" }, shown),
    scrolled(table));
}

function scrolled(details) {
  const table = details.querySelector("table");
  table.replaceWith(h("div", { class: "wide-table", tabindex: "0", role: "region", "aria-label": "Timeline as a table" }, table.cloneNode(true)));
  return details;
}

function findings(result) {
  if (!result.violations.length) return null;
  const said = { error: "error", warning: "warning", info: "note" };
  const rows = result.violations.map((each) =>
    h("li", { class: each.severity },
      h("p", {}, h("strong", { class: "severity" }, said[each.severity]), " ",
        h("span", {}, each.line === null ? "the encounter" : `line ${each.line}`), " ",
        h("button", { type: "button", class: "link", onclick: () => showRule(each.rule) }, `${each.rule} ${each.name}`)),
      h("p", {}, each.message),
      h("p", { class: "fix" }, each.fix),
      each.carc || each.rarc
        ? h("p", { class: "soft" }, [each.carc && `CARC ${each.carc}`, each.rarc && `RARC ${each.rarc}`].filter(Boolean).join(", "))
        : null));
  return h("section", { "aria-label": "Findings" }, h("h3", {}, "Findings"), h("ul", { class: "findings" }, rows));
}

function questions(result) {
  if (!result.questions.length) return null;
  return h("section", { "aria-label": "Open questions" }, h("h3", {}, "Open questions"),
    result.questions.map(question));
}

function question(each) {
  const box = h("fieldset", { class: "question" }, h("legend", {}, each.ask),
    h("p", { class: "soft" }, `Who can say: ${each.who}.`));
  const ranges = each.answers.filter((one) => "from" in one.if);
  if (ranges.length) {
    box.append(h("ul", { class: "plain" }, ranges.map((one) =>
      h("li", {}, `${one.if.from} ${one.if.to === null ? "or more" : `to ${one.if.to}`}: ${one.changes ?? listed(one.suggested)}`))));
    box.append(numberForm(ranges));
  }
  for (const one of each.answers.filter((other) => "value" in other.if)) {
    box.append(h("button", {
      type: "button", class: "choice", onclick: () => settle(one.if.field, one.if.value),
    }, h("strong", {}, spoken(one.if.value)), ` bills ${listed(one.suggested)}`));
  }
  return box;
}

const spoken = (value) => ({ true: "Yes", false: "No" })[String(value)] ?? String(value).replaceAll("_", " ");

function numberForm(ranges) {
  const id = fresh("minutes");
  const input = h("input", { id, type: "number", min: ranges[0].if.from, inputmode: "numeric", required: true });
  return h("form", {
    class: "bar",
    onsubmit: (event) => {
      event.preventDefault();
      settle(ranges[0].if.field, Number(input.value));
    },
  }, h("label", { for: id }, "Minutes"), input, h("button", { type: "submit" }, "Answer"));
}

function settle(field, value) {
  answer(field, value);
  // What was answered is gone; the outcome is what one wants to hear next.
  at("answer").focus();
}

function barred(result) {
  if (!result.not_billable.length) return null;
  return h("section", { "aria-label": "Not billable" }, h("h3", {}, "Not billable"),
    h("ul", {}, result.not_billable.map((each) => h("li", {}, `${each.administration}: ${each.because}`))));
}

function instead(result) {
  if (!state.encounter.lines) return null;
  const head = h("h3", {}, "The claim to send");
  if (result.corrected === null) {
    return h("section", { "aria-label": "The claim to send" }, head, h("p", {}, result.withheld ?? "It is withheld."));
  }
  const rows = result.corrected.map((line) => h("li", {}, h("strong", { class: "code" }, billed(line)), ` line ${line.number}`));
  const same = JSON.stringify(result.corrected.map(brief)) === JSON.stringify(state.encounter.lines.map(brief));
  return h("section", { "aria-label": "The claim to send" }, head,
    rows.length ? h("ul", { class: "codes" }, rows) : h("p", {}, "No line."),
    same ? h("p", { class: "soft" }, "It is the claim as it stands.")
      : h("button", { type: "button", onclick: () => take(result.corrected) }, "Take it as the claim"));
}

const brief = (line) => [line.code, line.units, ...(line.modifiers ?? [])];

function take(lines) {
  state.encounter.lines = lines.map((line) =>
    Object.fromEntries(Object.entries(line).filter(([, value]) => value !== null)));
  if (!lines.length) delete state.encounter.lines;
  changed(true);
  at("answer").focus();
}

function unjudged(result) {
  if (!result.unjudged.length) return null;
  const rows = result.unjudged.map((each) =>
    h("li", {}, h("button", { type: "button", class: "link", onclick: () => showRule(each.rule) }, each.rule), ` lacks ${each.missing.join(", ") || "a fact"}`));
  return h("details", {}, h("summary", {}, `${counted(rows.length, "rule")} could not be judged`), h("ul", {}, rows));
}
