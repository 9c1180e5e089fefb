// Elements from names, attributes and text. Text is only ever text: nothing here parses markup.

/** An element; children are elements or texts, and what is null or false is left out. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = value;
    else if (key === "value") element.value = value;
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((each) => each !== null && each !== false));
  return element;
}

/** The element with an id. */
export const at = (id) => document.getElementById(id);

/** Puts children in place of all that an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((each) => each !== null && each !== false));
}

/** A number with its noun. */
export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

let next = 0;
/** An id that no other element has. */
export const fresh = (stem) => `${stem}-${(next += 1)}`;
