// When the server will not take an answer: somebody else was first, or it refused.

import { dialog, h } from "../frame/dom.js";

export function words(answer) {
  if (answer.kind === "skip") return "skipped";
  const parts = [
    answer.present?.length && `present: ${answer.present.join(", ")}`,
    answer.absent?.length && `absent: ${answer.absent.join(", ")}`,
    answer.unsure?.length && `unsure: ${answer.unsure.join(", ")}`,
    answer.boxes?.length && `${answer.boxes.length} ${answer.boxes.length === 1 ? "box" : "boxes"}`,
    answer.note && `note: “${answer.note}”`,
  ].filter(Boolean);
  if (!answer.present?.length && !answer.unsure?.length && answer.complete) parts.unshift("nothing here");
  else if (answer.complete) parts.push("all others absent");
  return parts.join("; ");
}

// Resolves with "keep", "drop" or null (decided later).
export function askConflict({ stuck, body, clip }) {
  return new Promise((resolve) => {
    let decided = null;
    const isConflict = stuck.kind === "conflict";
    const said = (who, answer) => h("div", { class: "said" }, h("h3", {}, who), h("p", {}, words(answer)));
    const keep = h("button", { type: "button", class: "act primary" }, isConflict ? "Keep mine as well" : "Try again");
    const drop = h("button", { type: "button", class: "act" }, "Drop mine");
    const content = h(
      "div",
      { class: "conflict" },
      h("p", {}, isConflict
        ? `While you had ${clip ?? "this clip"} open, somebody else answered it.`
        : `The server did not take your answer to ${clip ?? "a clip"}: ${stuck.error}`),
      ...stuck.answers?.map((answer) => said(answer.annotator, answer)) ?? [],
      said("You", body),
      isConflict ? h("p", { class: "muted" }, "Both stay in the history. If they differ, the clip joins the disagreements to settle.") : null,
      h("footer", {}, drop, keep),
    );
    const box = dialog(isConflict ? "Answered twice" : "Not saved", content, { className: "narrow", onclose: () => resolve(decided) });
    keep.addEventListener("click", () => ((decided = "keep"), box.close()));
    drop.addEventListener("click", () => ((decided = "drop"), box.close()));
    // It comes while somebody types on: the next Enter must not decide.
    const heading = box.querySelector("h2");
    heading.tabIndex = -1;
    heading.focus();
  });
}
