/** Images and sounds by tag under one step slider. */

import { fill, h } from "../core/dom.js";
import { bytes, toNumber } from "../core/format.js";
import { seriesTitle } from "./cards.js";
import { large } from "./large.js";
import { SeriesCard, seriesPart, SeriesTab } from "./series.js";
import { nearest, stepText, wallText } from "./steps.js";

const of = (data) => data.series.filter((one) => one.kind === "blob" && (one.plugin === "images" || one.plugin === "audio"));
const PAGE = 1000;
/** Of one series so many are listed: the newest. */
const MOST = 20000;

class Media extends SeriesTab {
  constructor(el, page) {
    super(el, page, { of, Card: Strip, step: "Step of the images and sounds", search: "im", kind: "media", none: (words) => `No image or sound is called “${words}”.` });
  }
}

export default seriesPart({ id: "media", label: "Images and audio", none: "This run logged no images and no audio.", of, Tab: Media });

class Strip extends SeriesCard {
  path = "media";

  constructor(series, tab) {
    super(series, tab);
    this.items = new Map();
    this.loaded = new Set();
    this.says = h("span", { class: "muted" });
    this.box = h("div", { class: "strip waiting" });
    this.el = h("section", { class: "sheet", "aria-label": series.tag }, seriesTitle(series, this.says), this.box);
  }

  take(found) {
    this.items = Map.groupBy(found, (one) => one.step);
    this.steps = [...this.items.keys()].sort((a, b) => a - b);
    this.walls = new Map([...this.items].map(([step, items]) => [step, toNumber(items[0].wall_time)]));
    this.drawn = null;
  }

  async whole() {
    const first = await this.ask({ limit: PAGE });
    if (first.total <= PAGE) return first.items;
    const from = Math.max(PAGE, first.total - MOST);
    const pages = [];
    for (let offset = from; offset < first.total; offset += PAGE) pages.push(this.ask({ limit: PAGE, offset }));
    return [...(from === PAGE ? first.items : []), ...(await Promise.all(pages)).flatMap((page) => page.items)];
  }

  draw() {
    if (!this.steps) return;
    const at = nearest(this.steps, this.tab.page.state.get("step"));
    this.box.classList.remove("waiting");
    if (at < 0) {
      fill(this.box, h("p", { class: "muted" }, "None of these can be shown."));
      return;
    }
    const step = this.steps[at];
    if (this.drawn === step) return;
    this.drawn = step;
    const items = this.items.get(step);
    fill(this.says, stepText(step), wallText(this.walls.get(step)), items.length > 1 && ` · ${items.length} of them`);
    this.#show(items);
    this.#preload(at);
  }

  /** Elements of the same kind are used again: an image stays until the next one is there. */
  #show(items) {
    const kind = (one) => (one.mime.startsWith("image/") ? "img" : one.mime.startsWith("audio/") ? "audio" : "file");
    const held = [...this.box.querySelectorAll(":scope > figure")];
    const same = held.length === items.length && held.every((figure, i) => /** @type {HTMLElement} */ (figure).dataset.kind === kind(items[i]));
    if (!same) fill(this.box, items.map((one) => figure(kind(one))));
    [...this.box.children].forEach((el, i) => put(/** @type {HTMLElement} */ (el), items[i], this));
  }

  /** What stands beside in time is fetched before somebody asks. */
  #preload(at) {
    for (const near of [at + 1, at - 1, at + 2, at - 2]) {
      for (const one of this.items.get(this.steps[near]) ?? []) {
        if (!one.mime.startsWith("image/") || this.loaded.has(one.url)) continue;
        this.loaded.add(one.url);
        const ahead = new Image();
        ahead.src = one.url;
      }
    }
  }
}

function figure(kind) {
  if (kind === "img") return h("figure", { dataset: { kind } }, h("button", { type: "button", class: "picture" }, h("img", { loading: "lazy", decoding: "async", alt: "" })), h("figcaption"));
  if (kind === "audio") return h("figure", { dataset: { kind } }, h("audio", { controls: true, preload: "none" }), h("figcaption"));
  return h("figure", { dataset: { kind } }, h("a", { class: "button", download: "" }, "Download"), h("figcaption"));
}

/** Show one in a figure. */
function put(el, one, card) {
  const name = `${card.series.display_name || card.series.tag}, ${stepText(one.step)}${one.idx ? `, number ${one.idx + 1}` : ""}`;
  const { kind } = el.dataset;
  const about = [one.label, one.width && `${one.width} × ${one.height}`, kind !== "img" && bytes(one.nbytes)].filter(Boolean).join(" · ");
  fill(el.querySelector("figcaption"), about);
  if (kind === "img") {
    const img = /** @type {HTMLImageElement} */ (el.querySelector("img"));
    img.alt = name;
    if (one.width) Object.assign(img, { width: one.width, height: one.height });
    // Small pictures are shown larger, and their pixels as they are.
    img.classList.toggle("small", Boolean(one.width && one.width < 160));
    if (img.getAttribute("src") !== one.url) img.src = one.url;
    const open = /** @type {HTMLButtonElement} */ (el.querySelector("button"));
    open.setAttribute("aria-label", `Enlarge ${name}`);
    open.onclick = () => large(card, one.idx);
  } else if (kind === "audio") {
    const audio = /** @type {HTMLAudioElement} */ (el.querySelector("audio"));
    audio.setAttribute("aria-label", name);
    if (audio.getAttribute("src") !== one.url) audio.src = one.url;
  } else el.querySelector("a").setAttribute("href", one.url);
}
