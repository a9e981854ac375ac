// Who labelled how much, when, and how fast.

import { api } from "../frame/api.js";
import { plural, seconds, table } from "./common.js";
import { cssColour } from "../media/colours.js";
import { h } from "../frame/dom.js";

const DAYS = 21;

const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);

export class Work {
  constructor() {
    this.element = h("div", { class: "stack" });
  }

  async shown() {
    const { days, tables } = await api("GET", "/agreement/work");
    this.element.replaceChildren(people(days), ...(days.length ? [perDay(days)] : []), ...(tables.length ? [imported(tables)] : []));
  }
}

function people(days) {
  const names = [...new Set(days.map((day) => day.person))].sort();
  const rows = names.map((name) => {
    const mine = days.filter((day) => day.person === name);
    const timed = mine.filter((day) => day.per_answer !== null);
    const typical = timed.length ? timed.reduce((total, day) => total + day.per_answer * day.answers, 0) / Math.max(1, sum(timed, "answers")) : null;
    return [name, String(sum(mine, "answers")), String(sum(mine, "settled")), String(sum(mine, "skipped")), String(sum(mine, "retracted")),
      seconds(typical), seconds(timed.length ? sum(mine, "seconds") : null), mine.at(-1).day, mine[0].day];
  });
  return h("section", { class: "card stack" }, h("h2", {}, "People"),
    rows.length ? table("What each person did in the app", ["Person", ["Answers", "number"], ["Settled", "number"], ["Skipped", "number"],
      ["Taken back", "number"], ["Per answer", "number"], ["Time at work", "number"], "First day", "Last day"], rows)
      : h("p", {}, "Nobody has answered in the app yet."),
    rows.length ? h("p", { class: "muted" }, "Per answer is the mean of the days' medians; breaks are left out. Days are in UTC.") : null);
}

// One square for each person and day, darker or lighter with the number of answers, which it says.
function perDay(days) {
  const dates = [...new Set(days.map((day) => day.day))].slice(0, DAYS).reverse();
  const names = [...new Set(days.map((day) => day.person))].sort();
  const count = new Map(days.map((day) => [`${day.person}\n${day.day}`, day]));
  const most = Math.max(...days.map((day) => day.answers + day.settled), 1);
  const rows = names.map((name) => [name, ...dates.map((date) => {
    const day = count.get(`${name}\n${date}`);
    if (!day) return "";
    const n = day.answers + day.settled;
    const share = 0.12 + 0.88 * (n / most);
    return h("span", { class: "square", style: { background: cssColour(share), color: share > 0.62 ? "#111" : "#fff" },
      title: `${plural(n, "answer")}, ${plural(day.windows, "window")}; ${day.per_answer === null ? "no times" : `${seconds(day.per_answer)} an answer`}` }, String(n));
  })]);
  return h("section", { class: "card stack" }, h("h2", {}, "Answers by day"),
    table("Answers by person and day", ["Person", ...dates.map((date) => [date.slice(5), "number"])], rows),
    dates.length === DAYS ? h("p", { class: "muted" }, `The last ${DAYS} days on which somebody labelled.`) : null);
}

function imported(tables) {
  return h("section", { class: "card stack" }, h("h2", {}, "From tables"),
    table("What tables brought in", ["Person", "Table", "Day", ["Annotations", "number"], ["Recordings", "number"]],
      tables.map((one) => [one.person ?? "nobody named", one.source ?? "", one.day, one.annotations.toLocaleString("en"), String(one.recordings)])));
}
