/** The page of one run: its header, its tabs, and how it follows a run that grows. */

import { get, send } from "../core/api.js";
import { colourOf } from "../core/colour.js";
import { fill, h } from "../core/dom.js";
import { bind } from "../core/keys.js";
import { flag, list, number, oneOf, text } from "../core/kinds.js";
import { offer } from "../core/search.js";
import { shell } from "../core/shell.js";
import { State } from "../core/state.js";
import { openTensorboard } from "../core/tensorboard.js";
import { empty, failed, tell, toast } from "../core/ui.js";
import { Header } from "../run/header.js";
import { Tabs } from "../run/tabs.js";
import { follow } from "./live.js";
import { chartSchema } from "./workspace-state.js";
import charts from "../run/charts.js";
import curves from "../run/curves.js";
import files from "../run/files.js";
import histograms from "../run/histograms.js";
import media from "../run/media.js";
import notes from "../run/notes.js";
import overview from "../run/overview.js";
import tensors from "../run/tensors.js";
import texts from "../run/texts.js";

const PARTS = [overview, charts, media, texts, histograms, curves, tensors, files, notes];
const LIVE = ["running", "stalled"];
const TICK_MS = 5000;

const schema = {
  ...chartSchema,
  tab: oneOf(...PARTS.map((part) => part.id)),
  q: text(), // search in the metrics
  sort: list("tag"), // of the metrics
  hp: text(), // search in the hyperparameters
  step: number(null), // the step that images, texts, histograms and curves show; none is the newest
  im: text(), // search for tags of images and audio
  tx: text(), // search within texts
  raw: flag(), // texts as written
  hi: text(), // search for tags of histograms
  hv: oneOf("heat", "ridge"),
  hl: flag(), // logarithmic colour
  ho: flag(), // without the outermost values
  pc: text(), // search for tags of PR curves
};

const root = document.getElementById("run");
const key = root.dataset.key;
const state = new State("run", schema, `/run/${key}`, undefined, { run: key });

/** What the parts of the page share. */
const page = {
  key,
  state,
  /** The answer of `/api/v1/runs/<run_key>`. @type {any} */
  data: null,
  asked: 0,
  deleted: false,
  get id() {
    return page.data.run.run_id;
  },
  get label() {
    return page.data.annotation?.name || page.data.run.name;
  },
  get colour() {
    return colourOf(page.id, page.data.annotation?.colour);
  },
  /** Change what people wrote about the run. @param {{set?: object, add_tags?: string[], remove_tags?: string[]}} changes */
  async annotate(changes) {
    await send("PATCH", "annotations", { runs: [key], ...changes });
    await page.reload();
  },
  /** The same, where an error is only told. */
  async tryAnnotate(changes) {
    try {
      await page.annotate(changes);
      return true;
    } catch (error) {
      toast(tell(error), { bad: true });
      return false;
    }
  },
  /** The run was deleted. */
  gone() {
    page.deleted = true;
    fill(root, h("h1", null, page.label), empty("This run was deleted.", h("a", { class: "button", href: "/" }, "All runs")));
  },
  async reload() {
    if (page.deleted) return;
    const asked = (page.asked += 1);
    const data = await get(`runs/${encodeURIComponent(key)}`);
    // Answers may overtake each other: the newest question's holds.
    if (asked !== page.asked || page.deleted) return;
    page.data = data;
    document.title = `${page.label} · boardlake`;
    header.update();
    tabs.update();
  },
};

shell({ state });

const header = new Header(page);
const tabs = new Tabs(page, PARTS);

async function start() {
  try {
    page.data = await get(`runs/${encodeURIComponent(key)}`);
  } catch (error) {
    fill(root, h("h1", { class: "sr" }, "Run"), failed(error, start));
    return;
  }
  document.title = `${page.label} · boardlake`;
  fill(root, header.el, tabs.el);
  header.update();
  tabs.update();
  follow(() => !page.deleted && state.get("live") && LIVE.includes(page.data.run.state), () => page.reload().catch((error) => { if (error.status === 404) page.gone(); }));
  setInterval(() => header.tick(), TICK_MS);
}

PARTS.forEach((part, i) => {
  if (i < 9) bind(String(i + 1), i ? "" : "a tab by its number", () => tabs.pick(i));
  offer(`Show ${part.label.toLowerCase()}`, () => state.set({ tab: part.id }));
});

const board = () => openTensorboard({ runs: [key] });
bind("b", "open the run in TensorBoard", () => (page.deleted ? false : void board()));
offer("Open this run in TensorBoard", board);

start();
