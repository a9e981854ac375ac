// Requests to the app's own interface. An error carries the sentence that the server gave.
//
// Every request tells the page how the connection is, by an event of `window`:
//   antiphon:saved    something was changed and the server has it
//   antiphon:offline  the server cannot be reached (once, until it can)
//   antiphon:online   it can be reached again
//   antiphon:login    nobody is logged in any more

export class Refused extends Error {
  constructor(status, body) {
    super(body.error || `The server answered ${status}.`);
    this.name = "Refused";
    this.status = status;
    this.body = body;
  }
}

// The server cannot be reached; whether it got the request is not known.
export class Unreachable extends Error {
  constructor(cause) {
    super("The server cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

const SAFE = new Set(["GET", "HEAD"]);
const LOOK_MS = 2000;
let online = true;
let looking = null;

const tell = (name, detail = {}) => window.dispatchEvent(new CustomEvent(`antiphon:${name}`, { detail }));

function reached() {
  if (online) return;
  online = true;
  clearTimeout(looking);
  tell("online");
}

function lost() {
  if (online) tell("offline");
  online = false;
  clearTimeout(looking);
  looking = setTimeout(look, LOOK_MS);
}

async function look() {
  try {
    const response = await fetch(`${window.antiphon.root}/api/health`, { cache: "no-store" });
    if (response.ok) reached();
    else lost();
  } catch {
    lost();
  }
}

window.addEventListener("offline", lost);
window.addEventListener("online", look);

export const isOnline = () => online;

async function send(method, path, body, options) {
  const { root, token } = window.antiphon;
  const headers = { "X-Antiphon-Token": token, ...options.headers };
  const plain = body !== undefined && !(body instanceof FormData || body instanceof Blob);
  if (plain) headers["Content-Type"] = "application/json";
  try {
    return await fetch(`${root}/api${path}`, {
      credentials: "same-origin",
      ...options,
      method,
      headers,
      body: plain ? JSON.stringify(body) : body,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    lost();
    throw new Unreachable(error);
  }
}

// The server was started again, or somebody has logged in anew: fetch the token of now.
async function renew() {
  const response = await send("GET", "/session", undefined, {});
  if (!response.ok) return false;
  const session = await response.json();
  // Somebody else is logged in now; what this page holds is not theirs.
  if (session.name !== window.antiphon.person) return false;
  window.antiphon.token = session.token;
  return true;
}

// A request that only reads, by whatever method, says so: options.reads.
// Returns what a JSON answer holds, null where it is empty, and otherwise the Response itself.
export async function api(method, path, body = undefined, options = {}) {
  let response = await send(method, path, body, options);
  if (response.status === 403 && response.headers.has("X-Antiphon-Stale") && (await renew())) {
    response = await send(method, path, body, options);
  }
  const unavailable = response.status === 502 || response.status === 504;
  if (unavailable) lost();
  else reached();
  const kind = response.headers.get("Content-Type") || "";
  const json = kind.startsWith("application/json");
  if (!response.ok) {
    if (unavailable) throw new Unreachable();
    if (response.status === 401) tell("login");
    throw new Refused(response.status, json ? await response.json() : {});
  }
  if (!SAFE.has(method.toUpperCase()) && !options.reads) tell("saved", { method, path });
  if (response.status === 204) return null;
  return json ? response.json() : response;
}
