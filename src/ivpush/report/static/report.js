// The list of encounters: unpacks the rows, filters, sorts and pages them, and opens details.
// It asks for nothing from anywhere; foreign text is set as text, and details are HTML that
// ivpush escaped when it wrote the file.
(() => {
  "use strict";
  const PAGE = 50;
  const CHUNK = 40;
  const COLUMNS = [
    ["id", "encounter"], ["day", "date"], ["setting", "setting"], ["payer", "payer"],
    ["status", "status"], ["errors", "errors"], ["warnings", "warnings"], ["notes", "notes"],
    ["questions", "questions"], ["missed", "missed $"], ["unsupported", "unsupported $"],
  ];
  const WORDS = new Set(["setting", "payer", "status"]);
  const NUMBERS = new Set(["errors", "warnings", "notes", "questions", "missed", "unsupported"]);
  const MONEY = new Set(["missed", "unsupported"]);
  const LISTS = { rule: "rules", who: "whos", denial: "denials" };
  const FILTERS = ["status", "rule", "denial", "payer", "setting", "who"];
  const at = (id) => document.getElementById(id);
  const made = (name, text) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    return element;
  };

  const unpacked = async (id) => {
    const raw = atob(at(id).textContent);
    const bytes = new Uint8Array(raw.length);
    for (let n = 0; n < raw.length; n += 1) bytes[n] = raw.charCodeAt(n);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return JSON.parse(await new Response(stream).text());
  };

  const chunks = new Map();
  const detailsOf = async (row) => {
    const number = Math.floor(row / CHUNK);
    if (!chunks.has(number)) chunks.set(number, unpacked(`chunk-${number}`));
    return (await chunks.get(number))[row % CHUNK];
  };

  let words = [];
  let columns = {};
  let rows = [];
  let haystacks = null;
  const state = { sort: null, down: false, page: 0, rows: [] };

  const cell = (name, row) => {
    const value = columns[name][row];
    if (WORDS.has(name)) return words[value];
    if (MONEY.has(name)) return value === null ? "" : value.toFixed(2);
    return String(value);
  };

  const haystack = (row) => {
    const named = ["rules", "codes", "whos", "denials"].flatMap((name) => columns[name][row]);
    const own = [columns.id[row], columns.day[row], cell("payer", row), cell("setting", row)];
    return [...own, ...named.map((number) => words[number])].join(" ").toLowerCase();
  };

  // What the filters let through: each of them must, and each word of the search must be there.
  const chosen = () => {
    let left = rows;
    for (const name of FILTERS) {
      const value = at(name).value;
      if (value === "") continue;
      const number = Number(value);
      const list = LISTS[name];
      left = left.filter((row) =>
        list ? columns[list][row].includes(number) : columns[name][row] === number);
    }
    const kind = at("severity").value;
    if (kind) left = left.filter((row) => columns[kind][row] > 0);
    const sought = at("text").value.toLowerCase().split(/\s+/).filter(Boolean);
    if (sought.length) {
      haystacks = haystacks || rows.map(haystack);
      left = left.filter((row) => sought.every((word) => haystacks[row].includes(word)));
    }
    return left;
  };

  const sorted = (some) => {
    const name = state.sort;
    if (name === null) return some;
    const key = NUMBERS.has(name)
      ? (row) => columns[name][row] ?? -1
      : (row) => cell(name, row);
    const keys = new Map(some.map((row) => [row, key(row)]));
    const sign = state.down ? -1 : 1;
    return [...some].sort((a, b) => {
      const [one, other] = [keys.get(a), keys.get(b)];
      return one < other ? -sign : one > other ? sign : a - b;
    });
  };

  const opener = (row) => {
    const button = made("button", columns.id[row]);
    button.type = "button";
    button.className = "row";
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => toggle(button, row));
    return button;
  };

  const toggle = async (button, row) => {
    const line = button.closest("tr");
    if (button.getAttribute("aria-expanded") === "true") {
      button.setAttribute("aria-expanded", "false");
      line.nextElementSibling.remove();
      return;
    }
    button.setAttribute("aria-expanded", "true");
    const whole = made("tr");
    whole.className = "details";
    const space = made("td");
    space.colSpan = COLUMNS.length;
    whole.append(space);
    line.after(whole);
    const article = made("article");
    article.setAttribute("aria-label", `Encounter ${columns.id[row]}`);
    article.innerHTML = await detailsOf(row);
    space.append(article);
  };

  const lineOf = (row) => {
    const line = made("tr");
    for (const [name] of COLUMNS) {
      const part = made(name === "id" ? "th" : "td");
      if (name === "id") {
        part.scope = "row";
        part.append(opener(row));
      } else {
        part.textContent = cell(name, row);
      }
      if (NUMBERS.has(name)) part.className = "n";
      if (name === "errors" && columns.errors[row]) part.classList.add("error");
      part.dataset.column = name;
      line.append(part);
    }
    return line;
  };

  const show = () => {
    const pages = Math.max(1, Math.ceil(state.rows.length / PAGE));
    state.page = Math.min(Math.max(0, state.page), pages - 1);
    const shown = state.rows.slice(state.page * PAGE, (state.page + 1) * PAGE);
    at("list").tBodies[0].replaceChildren(...shown.map(lineOf));
    at("page").textContent = `Page ${state.page + 1} of ${pages}`;
    at("back").disabled = state.page === 0;
    at("on").disabled = state.page === pages - 1;
    const [count, all] = [state.rows.length, rows.length].map((n) => n.toLocaleString("en-US"));
    at("count").textContent = `${count} of ${all} encounters`;
  };

  const renew = () => {
    state.rows = sorted(chosen());
    state.page = 0;
    show();
  };

  const head = () => {
    const line = at("list").tHead.rows[0];
    for (const [name, title] of COLUMNS) {
      const part = made("th");
      part.scope = "col";
      part.dataset.column = name;
      if (NUMBERS.has(name)) part.className = "n";
      const button = made("button", title);
      button.type = "button";
      button.addEventListener("click", () => {
        // Numbers begin with the largest, which is what one looks for.
        state.down = state.sort === name ? !state.down : NUMBERS.has(name);
        state.sort = name;
        for (const other of line.cells) other.removeAttribute("aria-sort");
        part.setAttribute("aria-sort", state.down ? "descending" : "ascending");
        renew();
      });
      part.append(button);
      line.append(part);
    }
  };

  const fill = () => {
    for (const name of FILTERS) {
      const seen = new Set(columns[LISTS[name] || name].flat());
      const options = [...seen].map((number) => [words[number], number]).sort();
      for (const [word, number] of options) {
        const option = made("option", word);
        option.value = number;
        at(name).append(option);
      }
    }
  };

  // A word of the totals shows the encounters behind it.
  const only = (button) => {
    at("filters").reset();
    at(button.dataset.name).value = String(words.indexOf(button.dataset.value));
    renew();
    at("list-head").scrollIntoView();
    at(button.dataset.name).focus();
  };

  const listen = () => {
    const form = at("filters");
    form.addEventListener("input", renew);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(renew));
    at("back").addEventListener("click", () => { state.page -= 1; show(); });
    at("on").addEventListener("click", () => { state.page += 1; show(); });
    at("open").addEventListener("click", () => {
      for (const button of document.querySelectorAll('button.row[aria-expanded="false"]')) {
        button.click();
      }
    });
    at("print").addEventListener("click", () => window.print());
    for (const button of document.querySelectorAll("button.only")) {
      button.addEventListener("click", () => only(button));
    }
  };

  const start = async () => {
    ({ words, columns } = await unpacked("rows"));
    if (columns.id === undefined) for (const [name] of COLUMNS) columns[name] = [];
    for (const name of ["rules", "whos", "denials", "codes"]) columns[name] ??= [];
    rows = columns.id.map((_, row) => row);
    head();
    fill();
    listen();
    renew();
    document.documentElement.dataset.ready = "yes";
  };
  start();
})();
