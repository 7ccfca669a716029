/** What the run came to: its metrics, its hyperparameters, where it came from. */

import { h } from "../core/dom.js";
import { Metrics } from "./metrics.js";
import { Hparams } from "./hparams.js";
import { Provenance } from "./provenance.js";

/** @type {import("./tabs.js").Part} */
export default {
  id: "overview",
  label: "Overview",
  none: "",
  about: () => true,
  make(el, page) {
    const parts = [new Metrics(page), new Hparams(page), new Provenance(page)];
    el.append(h("div", { class: "main" }, parts[0].el, parts[2].more), h("div", { class: "side" }, parts[1].el, parts[2].facts));
    return {
      update: () => parts.forEach((part) => part.update()),
      follow: (changed) => parts.forEach((part) => part.follow?.(changed)),
    };
  },
};
