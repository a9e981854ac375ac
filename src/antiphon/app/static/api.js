// Requests to the app's own interface. An error carries the sentence that the server gave.

export class Refused extends Error {
  constructor(status, body) {
    super(body.error || body.detail || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
  }
}

export async function api(method, path, body = undefined, options = {}) {
  const { root, token } = window.antiphon;
  const headers = { "X-Antiphon-Token": token };
  const isForm = body instanceof FormData || body instanceof Blob;
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  const response = await fetch(root + "/api" + path, {
    method,
    headers,
    body: body === undefined || isForm ? body : JSON.stringify(body),
    credentials: "same-origin",
    ...options,
  });
  const kind = response.headers.get("Content-Type") || "";
  const answer = kind.startsWith("application/json") ? await response.json() : response;
  if (!response.ok) throw new Refused(response.status, kind.startsWith("application/json") ? answer : {});
  return answer;
}
