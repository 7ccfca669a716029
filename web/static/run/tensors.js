/** Tensors and byte strings that no other tab draws: what there is, and its bytes. */

import { address, get } from "../core/api.js";
import { fill, h, icon } from "../core/dom.js";
import { bytes, number } from "../core/format.js";
import { under } from "../core/kinds.js";
import { dialog, empty, failed } from "../core/ui.js";

const DRAWN = new Set(["histograms", "text", "pr_curves", "images", "audio"]);
const of = (data) => data.series.filter((one) => one.kind !== "scalar" && !DRAWN.has(one.plugin));
const MEANS = {
  mesh: "points, faces or colours of a mesh",
  graphs: "a graph of operations",
  graph_keras_model: "a Keras model",
  graph_run_metadata: "measurements of a graph",
  graph_tagged_run_metadata: "measurements of a graph",
  hparams: "hyperparameters: see the overview",
  custom_scalars: "a layout of charts",
  session_log: "starts and ends of a session",
  tensor: "a tensor",
};

/** @type {import("./tabs.js").Part} */
export default {
  id: "tensors",
  label: "Other data",
  none: "All that this run logged is shown in the other tabs.",
  about: (data) => of(data).length || false,
  make(el, page) {
    const box = h("div");
    fill(el, h("p", { class: "muted" }, "Logged by the run and kept as it is; no other tab draws it."), box);
    const draw = async () => {
      try {
        const { series } = await get(`runs/${encodeURIComponent(page.key)}/stored`);
        show(box, series.filter((one) => !DRAWN.has(one.plugin)), page);
      } catch (error) {
        fill(box, failed(error, draw));
      }
    };
    return { update: draw };
  },
};

function show(box, series, page) {
  if (!series.length) {
    fill(box, empty("All that this run logged is shown in the other tabs."));
    return;
  }
  const columns = [["Tag"], ["Stream"], ["Kind"], ["Type"], ["Shape"], ["Steps", "number"], ["First", "number"], ["Last", "number"], ["Bytes", "number"], [""]];
  fill(box, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Other data" }, h("table", { class: "plain" },
    h("thead", null, h("tr", null, columns.map(([name, kind]) => (name ? h("th", { scope: "col", class: kind }, name) : h("td"))))),
    h("tbody", null, series.map((one) => row(one, page))))));
}

function row(one, page) {
  const means = under(MEANS, one.plugin);
  return h("tr", null,
    h("th", { scope: "row", title: one.tag }, one.tag), h("td", null, one.stream && h("span", { class: "chip stream" }, one.stream)),
    h("td", { title: means }, one.plugin || "unknown", means && h("span", { class: "muted" }, ` · ${means}`)),
    h("td", null, one.kind === "blob" ? one.mime : one.dtype), h("td", null, one.shape ? (one.shape.length ? one.shape.join(" × ") : "single") : ""),
    h("td", { class: "number" }, number(one.steps)), h("td", { class: "number" }, number(one.first_step)), h("td", { class: "number" }, number(one.last_step)),
    h("td", { class: "number" }, one.nbytes ? bytes(one.nbytes) : ""), h("td", null, download(one, page)));
}

function download(one, page) {
  const name = `Download ${one.tag}${one.stream ? ` of ${one.stream}` : ""}`;
  if (one.kind === "tensor") {
    if (one.dtype === "hparams" || one.dtype === "none") return null;
    return h("a", { class: "button bare", download: "", title: "The last one", "aria-label": name, href: address(`runs/${encodeURIComponent(page.key)}/tensor`, { tag: one.tag, stream: one.stream }) }, icon("download"));
  }
  if (!one.nbytes) return null;
  return h("button", { type: "button", class: "button bare", "aria-label": name, title: "Download", on: { click: () => blobs(one, page) } }, icon("download"));
}

/** The byte strings of a series, each with its address. */
function blobs(one, page) {
  const box = h("div", null, "Looking…");
  dialog(one.tag, box);
  const ask = async () => {
    try {
      const found = await get("media", { run: page.key, tag: one.tag, stream: one.stream, limit: 200 });
      fill(box, found.items.length ? h("ul", { class: "blobs" }, found.items.map((item) => h("li", null, h("a", { href: item.url, download: "" }, `step ${number(item.step)}${item.idx ? `, number ${item.idx + 1}` : ""}`), h("span", { class: "muted" }, ` ${item.mime} · ${bytes(item.nbytes)}`))))
        : empty("It has no bytes."), found.total > found.items.length && h("p", { class: "muted" }, `The first ${found.items.length} of ${number(found.total)}.`));
    } catch (error) {
      fill(box, failed(error, ask));
    }
  };
  ask();
}
