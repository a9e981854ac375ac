// Answers on their way to the server, in order. Each is kept in this browser until the server
// has said that it is committed, and carries a key, so that sending it twice stores it once.

import { api, Refused } from "../frame/api.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20000;
// Answers that say nothing against the request itself.
const LOST = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

export class Outbox extends EventTarget {
  constructor(place) {
    super();
    this.prefix = `antiphon.unsent.${place}.`;
    this.entries = [];
    // Ids that the server gave to the answers of this page, by their keys.
    this.ids = new Map();
    this.offline = false;
    this._failures = 0;
    this._timer = null;
    this._sending = null;
    this._adopt();
    addEventListener("antiphon:online", () => this.wake());
    addEventListener("focus", () => this.offline && this.wake());
  }

  get waiting() {
    return this.entries.length;
  }

  get stuck() {
    return this.entries.filter((entry) => entry.stuck);
  }

  // Items of queues that entries of these kinds are about.
  items(...kinds) {
    const found = this.entries.filter((entry) => kinds.includes(entry.kind));
    return found.map((entry) => entry.body?.item ?? entry.item ?? null).filter((item) => item !== null);
  }

  // kind: "answer" (body: the request) or "undo" (of: key or id of the answer; item).
  add(entry) {
    // The key of a stored answer means nothing to the page that sends this after a reload.
    if (entry.kind === "undo") entry.of = this.ids.get(entry.of) ?? entry.of;
    this.entries.push(entry);
    this._keep(entry);
    this._tell("change");
    this.wake();
  }

  // Take back an answer that never left this browser, or that the server refused; false when it may
  // have arrived.
  cancel(key) {
    const entry = this.entries.find((e) => e.key === key);
    if (!entry || (entry.tried && !entry.stuck)) return false;
    // Another tab of this person adopts what waits, and may have sent it.
    const kept = this._read(this.prefix + key);
    if (this.isKept && !entry.stuck && (!kept || kept.tried)) return false;
    this._drop(entry);
    return true;
  }

  // After a conflict or a refusal: send again, perhaps changed, or give up.
  again(entry, change = {}) {
    Object.assign(entry.body ?? {}, change);
    entry.stuck = null;
    this._keep(entry);
    this._tell("change");
    this.wake();
  }

  forget(entry) {
    this._drop(entry);
    this.wake();
  }

  wake() {
    clearTimeout(this._timer);
    this._timer = null;
    if (!this._sending) this._sending = this._work().finally(() => (this._sending = null));
  }

  async _work() {
    for (;;) {
      const entry = this.entries.find((e) => !e.stuck);
      if (!entry) return;
      // What was adopted has an owner in another tab, who has taken it back or sent it.
      if (entry.isAdopted && !this._read(this.prefix + entry.key)) {
        this._drop(entry);
        continue;
      }
      if (!entry.tried) {
        entry.tried = true;
        this._keep(entry);
      }
      try {
        const answer = await this._send(entry);
        this._failures = 0;
        this.offline = false;
        this._drop(entry, false);
        this._tell("saved", { entry, answer });
        this._tell("change");
      } catch (error) {
        if (await this._failed(entry, error)) return;
      }
    }
  }

  async _send(entry) {
    if (entry.kind === "undo") {
      const id = typeof entry.of === "number" ? entry.of : this.ids.get(entry.of);
      // Its answer was given up after a conflict: there is nothing to undo.
      if (id === undefined) return null;
      return api("POST", `/answers/${id}/undo`, { key: entry.key });
    }
    const answer = await api("POST", "/answers", entry.body);
    this.ids.set(entry.key, answer.id);
    for (const other of this.entries) {
      if (other.kind === "undo" && other.of === entry.key) {
        other.of = answer.id;
        this._keep(other);
      }
    }
    return answer;
  }

  // Returns whether to pause.
  async _failed(entry, error) {
    const status = error instanceof Refused ? error.status : 0;
    if (status === 409) {
      entry.stuck = { kind: "conflict", error: error.message, answers: error.body.answers || [] };
    } else if (status === 401 || status === 403) {
      // The login ran out, or somebody else has logged in: it waits for this person.
      this._tell("login");
      return this._later();
    } else if (LOST.has(status)) {
      return this._later();
    } else {
      entry.stuck = { kind: "refused", error: error.message };
    }
    this._keep(entry);
    if (entry.stuck) this._tell("stuck", { entry });
    this._tell("change");
    return false;
  }

  _later() {
    this.offline = true;
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this._failures);
    this._failures += 1;
    this._timer = setTimeout(() => this.wake(), wait);
    this._tell("change");
    return true;
  }

  _keep(entry) {
    try {
      localStorage.setItem(this.prefix + entry.key, JSON.stringify(entry));
      this.isKept = true;
    } catch {
      // Full or forbidden storage: the warning before leaving is what is left.
      this.isKept = false;
    }
  }

  _drop(entry, tell = true) {
    this.entries = this.entries.filter((e) => e !== entry);
    localStorage.removeItem(this.prefix + entry.key);
    if (tell) this._tell("change");
  }

  _adopt() {
    const found = [];
    for (let i = 0; i < localStorage.length; i += 1) {
      const name = localStorage.key(i);
      if (!name.startsWith(this.prefix)) continue;
      const entry = this._read(name);
      if (entry) found.push({ ...entry, isAdopted: true });
    }
    this.entries = found.sort((a, b) => a.at - b.at);
  }

  _read(name) {
    try {
      return JSON.parse(localStorage.getItem(name));
    } catch {
      return null;
    }
  }

  _tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
