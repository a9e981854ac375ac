// One point of the map: its spectrogram, its sound, and what is known of it.

import { h } from "../frame/dom.js";
import { audioUrl, suited, thumbnailUrl } from "../media/urls.js";
import { clock } from "../search/clip.js";
import { when } from "../search/grid.js";

export class Card {
  constructor() {
    this.sound = h("audio", { controls: true, preload: "none" });
    this.element = h("section", { class: "card", "aria-label": "The window in focus", "aria-live": "polite" });
    this.empty();
  }

  empty() {
    this.sound.pause();
    this.point = null;
    this.element.replaceChildren(
      h("p", { class: "dim" }, "Click a point, or move to it with the arrow keys and press Enter, to see and hear it."),
    );
  }

  show(point, play) {
    const { window: w, said } = point;
    this.point = point;
    const address = `${window.antiphon.root}/search?recording=${w.recording}&channel=${w.channel}` +
      `&start_s=${w.start_s}&end_s=${w.end_s}&name=${encodeURIComponent(w.name)}`;
    const named = (presence) => Object.keys(said).filter((name) => said[name] === presence);
    const absent = named("absent");
    this.sound.pause();
    this.sound.src = audioUrl(w, suited(w));
    this.element.replaceChildren(
      h("img", { src: thumbnailUrl(w, suited(w), { width: 560, height: 240 }),
        alt: `Spectrogram of ${w.name} from ${w.start_s} to ${w.end_s} seconds` }),
      this.sound,
      h("p", { class: "name", title: w.name }, w.name.split("/").pop(), ` · ${clock(w.start_s)}`),
      h("p", { class: "dim" }, when(w)),
      h("p", { class: "chips" }, named("present").map((name) => h("span", { class: "chip" }, name)),
        absent.length ? h("span", { class: "dim" }, `${absent.length} ${absent.length === 1 ? "label" : "labels"} absent`) : null,
        Object.keys(said).length ? null : h("span", { class: "dim" }, "not labelled")),
      h("p", {}, h("a", { href: address }, "More like this")),
    );
    if (play) this.sound.play().catch(() => {});
  }
}
