// The visit as it is edited: an encounter of the contract, and the switches set beside it.

const listeners = new Set();

/** What is edited. `shown` counts up when the forms must be drawn anew. */
export const state = { encounter: blank(), policies: {}, shown: 0 };

/** A visit of today in which nothing was given. */
export function blank() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  return { id: "visit-1", setting: "facility", date: day };
}

/** Calls a function at each change; it is told whether the forms must be drawn anew. */
export const onChange = (listener) => listeners.add(listener);

/** Takes another encounter. */
export function replace(encounter, policies = state.policies) {
  state.encounter = encounter;
  state.policies = policies;
  changed(true);
}

/** Says that something was changed. */
export function changed(redraw = false) {
  if (redraw) state.shown += 1;
  for (const listener of listeners) listener(redraw);
}

/** Sets a field of a record; what is empty is not stated. */
export function put(record, field, value) {
  if (value === "" || value === null || (Array.isArray(value) && !value.length)) delete record[field];
  else record[field] = value;
}

/** Sets a path such as `administrations[0].minutes`, or a switch by `policy.NAME`. */
export function answer(path, value) {
  if (path.startsWith("policy.")) {
    state.policies = { ...state.policies, [path.slice("policy.".length)]: String(value) };
  } else {
    const steps = path.split(/[.[\]]+/).filter(Boolean);
    const last = steps.pop();
    let record = state.encounter;
    for (const step of steps) record = record[step] ??= {};
    record[last] = value;
  }
  changed(true);
}

/** The query that says which payer and switches count; the payer stands in the encounter. */
export function queryOf(more = {}) {
  const query = new URLSearchParams(more);
  for (const [name, value] of Object.entries(state.policies)) query.append("policy", `${name}=${value}`);
  return query;
}

/** A list as it stands; anything else, which pasted JSON may hold, is none. */
export const asList = (value) => (Array.isArray(value) ? value : []);

/** Whether a value is a record with fields. */
export const isRecord = (value) => value !== null && typeof value === "object" && !Array.isArray(value);

/** The clock time of an instant on the visit's own date, else all of it. */
export function shownTime(instant) {
  const text = String(instant ?? "");
  const day = state.encounter.date;
  return day && text.startsWith(`${day}T`) ? text.slice(day.length + 1).replace(/^(\d\d:\d\d):00$/, "$1") : text;
}

/** An instant from a clock time, which is one of the visit's date, or as it was written. */
export function readTime(text) {
  const clock = /^(\d{1,2}):?(\d{2})$/.exec(text.trim());
  if (!clock || !state.encounter.date) return text.trim();
  return `${state.encounter.date}T${clock[1].padStart(2, "0")}:${clock[2]}`;
}

/** A whole number where it is one; else the text, which the server then names. */
export const readNumber = (text) => (/^\s*\d+\s*$/.test(text) ? Number(text) : text.trim());
