/**
 * Exports that the server writes for this tab: watched until each is done, on whatever page, then handed over by
 * the browser. A button in the bar of the page tells how far they are, and opens the dialog with the details.
 */

import { get, send } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { bytes, plural } from "./format.js";
import { dialog, empty, failed, tell, toast } from "./ui.js";

const KEPT = "boardlake.exports";
const FIRST_MS = 200;
const MOST_MS = 1000;
/** Of the bar, until it is known how many rows there are. */
const STEPS = 1000;
const FORMS = { parquet: "Parquet", csv: "CSV", arrow: "Arrow", duckdb: "DuckDB" };
/** The tables as people call them. */
const TABLES = { runs: "runs", run_facts: "runs", series: "series", series_parts: "series", scalar_points: "points", tensors: "histograms, texts and other tensors", blobs: "images and other media", hparams: "hyperparameters", artifacts: "files beside the logs", files: "event files", problems: "problems", cycles: "cycles", sources: "sources", source_facts: "sources", migrations: "versions" };

/** The exports of this tab by id. @type {Map<string, Watched>} */
const watched = new Map();
let chip = null;

const count = (n) => n.toLocaleString("en-US");

/** How far an export is, 0 to 1. */
function part(told) {
  if (told.state === "ready") return 1;
  return told.rows_total ? Math.min(told.rows_done / told.rows_total, 0.999) : 0;
}

class Watched {
  /** @param {{id: string, what: string, body: any}} kept @param {any} told */
  constructor({ id, what, body }, told = null) {
    Object.assign(this, { id, what, body, told, error: null, wait: FIRST_MS, listeners: new Set() });
    watched.set(id, this);
    keep();
    this.#soon();
  }

  get url() {
    return `/api/v1/exports/${encodeURIComponent(this.id)}/file`;
  }

  #soon() {
    this.timer = setTimeout(() => this.look(), this.wait);
    this.wait = Math.min(MOST_MS, this.wait * 1.3);
  }

  async look() {
    clearTimeout(this.timer);
    try {
      const told = await get(`exports/${encodeURIComponent(this.id)}`);
      if (!watched.has(this.id)) return;
      this.told = told;
      this.error = null;
    } catch (error) {
      if (!watched.has(this.id)) return;
      if (error.status === 404) {
        this.told = { ...this.told, state: "failed", error: { message: "The server no longer has this export", hint: "It may have been started anew" } };
      } else this.error = error;
    }
    const { state } = this.told ?? {};
    if (state === "ready") this.save();
    if (state === undefined || state === "writing") this.#soon();
    else if (state !== "failed") this.forget();
    for (const listen of [...this.listeners]) listen();
    if (state === "ready" && !this.listeners.size) toast(`${this.told.name} is saved`);
    draw();
  }

  /** Hand the file to the reader, as any download: the browser knows how to go on where it was cut off. */
  save() {
    const link = h("a", { href: this.url, download: this.told.name });
    document.body.append(link);
    link.click();
    link.remove();
  }

  async stop() {
    clearTimeout(this.timer);
    this.forget();
    await send("DELETE", `exports/${encodeURIComponent(this.id)}`, {}).catch((error) => {
      if (error.status !== 404) throw error;
    });
  }

  /** It needs no more looking after. */
  forget() {
    clearTimeout(this.timer);
    watched.delete(this.id);
    keep();
    draw();
  }
}

/** What another page of this tab goes on with. */
function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...watched.values()].map(({ id, what, body }) => ({ id, what, body: JSON.stringify(body).length < 100_000 ? body : null }))));
  } catch {
    // Storage may be forbidden or full: then this page alone knows of them.
  }
}

/** Go on with what an earlier page of this tab has started. */
export function resume() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    for (const one of kept) if (typeof one?.id === "string" && !watched.has(one.id)) new Watched({ id: one.id, what: String(one.what), body: one.body ?? null });
  } catch {
    // What is kept may be of another version.
  }
  draw();
}

/**
 * Have the server write an export, and show how far it is.
 * @param {Record<string, any>} body of POST exports @param {string} what the runs, as people say it
 */
export async function begin(body, what) {
  const told = await send("POST", "exports", body);
  show(new Watched({ id: told.id, what, body }, told));
}

/** The button in the bar of the page. */
function draw() {
  const all = [...watched.values()];
  if (!all.length) {
    chip?.remove();
    chip = null;
    return;
  }
  if (!chip) {
    chip = h("button", { type: "button", class: "button exporting", "aria-haspopup": "dialog", on: { click: () => { const [first] = watched.values(); if (first) show(first); } } });
    document.getElementById("bar-tools")?.prepend(chip);
  }
  const [first] = all;
  const bad = all.some((one) => one.told?.state === "failed");
  const percent = `${Math.floor(100 * (first.told ? part(first.told) : 0))} %`;
  const text = bad ? "A download failed" : all.length > 1 ? `${all.length} downloads are being written` : `Download is being written: ${percent}`;
  chip.classList.toggle("danger", bad);
  chip.style.setProperty("--done", bad ? "0 %" : percent.replace(" ", ""));
  fill(chip, icon("download"), h("span", null, text));
}

/** The dialog of one export. @param {Watched} one */
function show(one) {
  const bar = /** @type {HTMLProgressElement} */ (h("progress", { max: STEPS, "aria-label": "Rows written" }));
  const line = h("p", { class: "export-rows" });
  const detail = h("p", { class: "muted" });
  const said = h("p", { class: "sr", role: "status" });
  const foot = h("div", { class: "export-actions" });
  const body = h("div", { class: "exportview" });
  const asked = dialog(`Download ${one.what}`, body);
  let shown = "";
  const press = (label, run, kind = "button") => h("button", { type: "button", class: kind, on: { click: async () => {
    try {
      await run();
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  } } }, label);
  const again = async () => {
    one.forget();
    asked.close();
    await begin(one.body, one.what);
  };

  function end(told) {
    if (told.state === "ready") {
      const size = `${bytes(told.bytes)} in ${told.seconds.toFixed(1)} s`;
      return [
        h("p", { role: "status" }, h("strong", null, told.name), ` is saved by your browser: ${size}.`),
        rowsOf(told),
        h("p", { class: "muted" }, "The server keeps it for half an hour. ", h("a", { href: one.url, download: told.name }, "Save it again")),
      ];
    }
    if (told.state === "stopped") return empty("The export was stopped; nothing of it is left.");
    return failed(told.error, one.body ? () => again().catch((error) => toast(tell(error), { bad: true })) : null);
  }

  function update() {
    const { told } = one;
    if (!told || told.state === "writing") {
      const known = told?.rows_total > 0;
      if (known) bar.value = Math.floor(STEPS * part(told));
      else bar.removeAttribute("value");
      fill(line, known ? [h("strong", null, `${Math.floor(100 * part(told))} %`), ` ${count(told.rows_done)} of ${count(told.rows_total)} rows`] : "Counting the rows…");
      fill(detail, [told && plural(told.runs, "run"), told && FORMS[told.format], told?.table && `now: ${TABLES[told.table] ?? told.table}`, told && bytes(told.bytes), told && `${Math.round(told.seconds)} s`].filter(Boolean).join(" · "));
      if (one.error) fill(detail, tell(one.error));
      if (shown !== "writing") {
        shown = "writing";
        fill(foot, press("Stop", async () => { await one.stop(); asked.close(); toast("The export was stopped; nothing of it is left"); }, "button danger"), press("Go on behind the page", asked.close));
        fill(body, bar, line, detail, said, foot);
        fill(said, "The export is being written");
        /** @type {HTMLElement} */ (foot.lastElementChild).focus();
      }
      return;
    }
    if (shown === told.state) return;
    shown = told.state;
    const close = press("Close", asked.close, "button primary");
    fill(foot, close);
    fill(body, end(told), foot);
    close.focus();
  }

  one.listeners.add(update);
  asked.el.addEventListener("close", () => {
    one.listeners.delete(update);
    // What failed has been seen.
    if (one.told?.state === "failed") one.forget();
    // The button that opened the form went with it.
    chip?.focus();
  });
  update();
}

/** How many rows came of each table. */
function rowsOf(told) {
  const found = Object.entries(told.rows).filter(([, rows]) => rows > 0);
  return h("dl", { class: "facts" }, found.map(([table, rows]) => h("div", null, h("dt", null, h("code", null, table)), h("dd", null, plural(rows, "row")))));
}
