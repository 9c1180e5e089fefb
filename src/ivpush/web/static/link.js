// A visit in the fragment of an address, which no browser sends to a server.

async function through(stream, bytes) {
  const piped = new Blob([bytes]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

/** An address that holds a visit. */
export async function linkOf(visit) {
  const text = new TextEncoder().encode(JSON.stringify(visit));
  const packed = await through(new CompressionStream("deflate-raw"), text);
  const letters = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  const safe = btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${location.origin}${location.pathname}#v1=${safe}`;
}

const MOST = 2_000_000;

/** The visit in the address, which then no longer holds it; null where there is none. */
export async function visitInAddress() {
  const found = /^#v1=([\w-]+)$/.exec(location.hash);
  if (!found) return null;
  // What a chart says must not stay in the history of the browser.
  history.replaceState(null, "", location.pathname);
  try {
    const letters = atob(found[1].replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
    const text = await unpacked(packed);
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The text of packed bytes, up to a bound: a short link may unpack to any length. */
async function unpacked(packed) {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const parts = [];
  let length = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MOST) throw new RangeError("too long");
    parts.push(value);
  }
  return new Blob(parts).text();
}

/** Copies a text; false where the browser allows none. */
export async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
