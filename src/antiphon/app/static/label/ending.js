// What stands in place of a clip when there is none: the end of a queue, or a wait.

import { h } from "../frame/dom.js";
import { againLike } from "./chooser.js";

const LOOK_MS = 5000;

export function ending(work) {
  const { page, queue, strip } = work;
  const { root } = window.antiphon;
  const title = h("h2", { tabIndex: -1 });
  const text = h("p", { class: "muted" });
  const tell = h("p", { class: "tell", role: "alert" });
  const actions = h("div", { class: "ending-actions" });
  const box = h("section", { class: "ending", "aria-label": "End of the queue" }, title, text, actions, tell);
  const button = (name, act, className = "") => h("button", { type: "button", class: `act ${className}`, onclick: act }, name);
  const others = button("Choose another queue", () => page.leave());
  if (strip.isAsking) {
    title.textContent = "Fetching clips…";
  } else if (strip.failure) {
    title.textContent = "No clips at the moment";
    text.textContent = strip.failure.message;
    actions.append(button("Try again", () => strip.fill(), "primary"), others);
  } else if (strip.left > 0) {
    title.textContent = "Others have the rest open";
    text.textContent = `${strip.left} ${strip.left === 1 ? "clip is" : "clips are"} with somebody else. What they do not answer within five minutes comes to you.`;
    actions.append(button("Look again", () => strip.fill(), "primary"), others);
  } else {
    title.textContent = "All done";
    text.textContent = `Every clip of “${queue.name}” has its answer. Undo and back still work. Clips that are added come up here by themselves.`;
    if (["strategy", "random", "stratified"].includes(queue.kind)) {
      const again = button(`${queue.total} more like these`, async () => {
        again.disabled = true;
        tell.textContent = "";
        try {
          page.open(await againLike(queue));
        } catch (error) {
          tell.textContent = error.message;
        } finally {
          again.disabled = false;
        }
      }, "primary");
      actions.append(again);
    }
    actions.append(h("a", { class: "act", href: `${root}/loop` }, "Train and see what it brought"), others);
  }
  box.dataset.state = `${title.textContent} ${text.textContent}`;
  wait(work, box);
  work.say(title.textContent, { quiet: true });
  return box;
}

// Clips may come back from others, or be added when the model has been trained anew.
function wait(work, box) {
  const timer = setInterval(() => {
    if (!box.isConnected) clearInterval(timer);
    else if (!work.strip.isAsking) work.strip.fill();
  }, LOOK_MS);
}
