// Why not: a code that was not suggested, held against each administration.

import { post } from "./api.js";
import { fill, h } from "./dom.js";
import { queryOf, state } from "./model.js";

/** Asks about a code and draws the answer. */
export async function askWhyNot(code, box) {
  const told = await post("/v1/why-not", queryOf({ code }), state.encounter);
  fill(box,
    h("p", {}, h("strong", {}, `${told.code}, ${told.label}`), told.units ? ` is suggested, ${told.units} units.` : " is not suggested."),
    conditions(told.conditions.filter((each) => !each.holds)),
    told.administrations.map((each) =>
      h("section", { "aria-label": each.name }, h("h4", {}, `${each.name} (${each.administration})`), conditions(each.conditions))),
    told.if_billed.length && !told.units
      ? [h("h4", {}, "If it were billed"), h("ul", {}, told.if_billed.map((each) => h("li", {}, `${each.severity} ${each.rule}: ${each.message}`)))]
      : null);
}

function conditions(listed) {
  if (!listed.length) return null;
  const held = listed.filter((each) => each.holds).map((each) => each.name);
  return h("ul", { class: "conditions" },
    held.length ? h("li", { class: "holds" }, h("strong", {}, "holds"), ` ${held.join(", ")}`) : null,
    listed.filter((each) => !each.holds).map((each) =>
      h("li", { class: "fails" }, h("strong", {}, each.holds === null ? "not known" : "fails"),
        ` ${each.name}: it takes ${each.asks}. Here: ${each.fact}${because(each)}`)));
}

const because = (each) => {
  const told = [each.decided_by, ...each.cites].filter(Boolean);
  return told.length ? ` [${told.join(", ")}]` : "";
};
