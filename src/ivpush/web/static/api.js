// Calls of the server that sent this page, and of no other.

/** What the server refuses, with the faults that it names. */
export class Refused extends Error {
  constructor(status, faults) {
    super(faults.map((each) => [each.place, each.problem].filter(Boolean).join(": ")).join("; "));
    this.status = status;
    this.faults = faults;
  }
}

let token = null;
let askForToken = async () => null;

/** Hands in what to do when the server asks for a token: gives one, or null. */
export function onToken(ask) {
  askForToken = ask;
}

function headersOf(type) {
  const headers = new Headers();
  if (type) headers.set("Content-Type", type);
  if (token) headers.set("Authorization", `Bearer ${token}`);
  return headers;
}

async function call(path, options, type) {
  let answer = await send(path, options, type);
  if (answer.status === 401) {
    token = await askForToken();
    if (token) answer = await send(path, options, type);
  }
  if (answer.ok) return answer;
  let faults = [];
  try {
    faults = (await answer.json()).faults ?? [];
  } catch {
    // An answer of a proxy, say; its status is all that is known.
  }
  if (!faults.length) faults = [{ place: "", problem: `The server answered ${answer.status}.`, remedy: "" }];
  throw new Refused(answer.status, faults);
}

async function send(path, options, type) {
  try {
    return await fetch(path, { ...options, headers: headersOf(type), cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused(0, [{ place: "", problem: "The server does not answer.", remedy: "Is it running?" }]);
  }
}

/** The JSON of a GET. */
export const get = async (path) => (await call(path, {}, null)).json();

/** The answer of a POST of JSON, as JSON. */
export async function post(path, query, record, signal) {
  const body = JSON.stringify(record);
  const options = { method: "POST", body, signal };
  return (await call(`${path}?${query}`, options, "application/json")).json();
}

/** What a file holds, as encounters. */
export async function convert(file, query) {
  const options = { method: "POST", body: file };
  return (await call(`/v1/convert?${query}`, options, "application/octet-stream")).json();
}

/** The drawing of an encounter, as elements of a document of its own in which nothing runs. */
export function drawing(query, record, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/v1/timeline?${query}`);
    request.responseType = "document";
    for (const [name, value] of headersOf("application/json")) request.setRequestHeader(name, value);
    request.addEventListener("load", () => resolve(request.status === 200 ? request.responseXML : null));
    request.addEventListener("error", () => resolve(null));
    request.addEventListener("abort", () => reject(new DOMException("given up", "AbortError")));
    signal.addEventListener("abort", () => request.abort());
    request.send(JSON.stringify(record));
  });
}
