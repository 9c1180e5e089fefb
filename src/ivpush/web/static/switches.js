// The switches where sources disagree: which are set, and how to set another.

import { at, fill, fresh, h } from "./dom.js";
import { changed, state } from "./model.js";

let known = [];

/** Hands in the policies of the pack. */
export function setPolicies(listed) {
  known = listed;
}

/** Draws the switches that are set, and the form that sets one. */
export function drawSwitches() {
  const names = Object.keys(state.policies);
  at("switches-count").textContent = names.length ? `(${names.length} set)` : "";
  fill(
    at("switches"),
    names.length ? h("ul", { class: "plain" }, names.map(setOne)) : null,
    known.length ? form() : null,
  );
}

function setOne(name) {
  return h("li", {},
    h("code", {}, `${name} = ${state.policies[name]}`), " ",
    h("button", {
      type: "button",
      onclick: () => {
        const { [name]: _, ...rest } = state.policies;
        state.policies = rest;
        changed(true);
        at("switches").querySelector("select").focus();
      },
    }, `Take back ${name}`),
  );
}

function form() {
  const [nameId, helpId] = [fresh("policy"), fresh("help")];
  const name = h("select", { id: nameId }, known.map((each) => h("option", { value: each.name }, each.name)));
  const value = h("div", { class: "field" });
  const help = h("p", { class: "soft", id: helpId });
  const show = () => {
    const policy = known.find((each) => each.name === name.value);
    const id = fresh("value");
    const choices = policy.form === "flag" ? ["true", "false"] : policy.values;
    const input = choices.length && policy.form !== "words"
      ? h("select", { id, "aria-describedby": helpId }, choices.map((each) => h("option", { value: each }, each)))
      : h("input", { id, type: "text", autocomplete: "off", value: String(policy.default), "aria-describedby": helpId });
    fill(value, h("label", { for: id }, "Value"), input);
    help.textContent = `${policy.touches} ${policy.why} Values, default first: ${policy.says}.`;
  };
  name.addEventListener("change", show);
  show();
  return h("form", {
    onsubmit: (event) => {
      event.preventDefault();
      const input = value.querySelector("select, input");
      state.policies = { ...state.policies, [name.value]: input.value };
      changed(true);
      at("switches").querySelector("select").focus();
    },
  },
  h("div", { class: "fields" },
    h("div", { class: "field wide" }, h("label", { for: nameId }, "Switch"), name),
    value,
  ),
  help,
  h("button", { type: "submit" }, "Set it"));
}
