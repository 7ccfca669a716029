/** The head of the run page: what the run is called, where it comes from, how it is, what can be done with it. */

import { get, withdrawn } from "../core/api.js";
import { PALETTE } from "../core/colour.js";
import { button, debounce, fill, h, icon } from "../core/dom.js";
import { ago, duration, time } from "../core/format.js";
import { literal } from "../core/split.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { copy, dialog, empty, failed, menu, popover, toast } from "../core/ui.js";
import { deleteRuns } from "../table/deletion.js";
import { download } from "../table/download.js";

/** The header of a run. */
export class Header {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.dot = button(null, "Colour of the run", () => this.#colour(), { class: "swatch", "aria-haspopup": "dialog" });
    this.title = h("h1");
    this.rename = button("edit", "Rename", () => this.#rename());
    this.names = h("div", { class: "names" });
    this.tags = h("span", { class: "taglist" });
    this.facts = h("p", { class: "where" });
    this.more = button("menu", "More", () => this.#menu(), { "aria-haspopup": "menu" });
    this.load = button("download", "Download the run's data", () => this.#download(), { text: "Download", "aria-haspopup": "menu" });
    const go = h("a", { class: "button", href: `/?${new URLSearchParams({ q: `run_key = ${literal(page.key)}` })}` }, "Open in the workspace");
    const board = new TensorboardLink();
    board.show({ runs: [page.key] }, { key: "b", label: "Open this run in TensorBoard" });
    this.el = h("header", { class: "head" },
      h("div", { class: "line" }, this.names,
        h("div", { class: "actions" }, button("compare", "Compare with another run", () => this.#compare(), { text: "Compare with…" }), board.el, go, this.load, this.more)),
      h("div", { class: "line" }, this.facts, this.tags));
  }

  /** Show the run as it is now; a name that is being typed stays. */
  update() {
    const { run, annotation } = this.page.data;
    this.dot.style.setProperty("--own", this.page.colour);
    if (!this.editing) this.#name();
    const place = h("span", { class: "path" }, `${run.machine}:${run.source === run.machine ? "" : `${run.source}/`}${run.path}`);
    this.age = h("span");
    fill(this.facts,
      h("span", { class: `state ${run.state}`, title: run.end_reason ?? null }, run.state),
      run.project && h("a", { href: `/?${new URLSearchParams({ q: `project = ${literal(run.project)}` })}` }, run.project),
      place, button("copy", "Copy the path", () => copy(run.path, "Path")),
      run.duration_s != null && h("span", null, `ran ${duration(run.duration_s)}`),
      this.age,
      annotation?.archived && h("span", { class: "chip" }, icon("archive"), "archived"),
      run.duplicate_of != null && h("span", { class: "chip" }, "a copy"));
    this.#tags();
    this.tick();
  }

  /** Time passes. */
  tick() {
    const { run } = this.page.data;
    fill(this.age, run.last_event_at ? `last event ${ago(run.last_event_at)}` : "no events");
    if (run.last_event_at) this.age.title = time(run.last_event_at);
  }

  #name() {
    const { page } = this;
    fill(this.title, page.label);
    fill(this.names, this.dot, this.title, this.rename, page.label !== page.data.run.name && h("span", { class: "muted" }, page.data.run.name));
  }

  #rename() {
    const { page } = this;
    this.editing = true;
    const field = /** @type {HTMLInputElement} */ (h("input", { class: "name", value: page.label, maxlength: "200", "aria-label": "Name of the run" }));
    const close = () => {
      this.editing = false;
      this.#name();
      this.rename.focus();
    };
    const save = async () => {
      const name = field.value.trim();
      // The run's own name is no name that somebody gave.
      if (name === page.label || (await page.tryAnnotate({ set: { name: name === page.data.run.name ? "" : name } }))) close();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") save();
      else if (event.key === "Escape") close();
    });
    fill(this.names, this.dot, h("h1", { class: "sr" }, page.label), field, button("check", "Save the name", save, { text: "Save" }), button(null, "Leave the name", close, { text: "Cancel" }));
    field.select();
  }

  #tags() {
    const { page } = this;
    if (this.tags.contains(document.activeElement) && document.activeElement?.tagName === "INPUT") return;
    const chips = (page.data.annotation?.tags ?? []).map((tag) =>
      h("span", { class: "chip" }, h("a", { href: `/?${new URLSearchParams({ q: `tag(${literal(tag)})` })}` }, tag),
        button("close", `Remove the tag ${tag}`, () => page.tryAnnotate({ remove_tags: [tag] }))));
    fill(this.tags, chips, button("tag", "Add a tag", () => this.#tag(), { text: "Tag" }));
  }

  #tag() {
    const field = /** @type {HTMLInputElement} */ (h("input", { maxlength: "64", "aria-label": "New tag", placeholder: "new tag", list: "known-tags" }));
    const known = h("datalist", { id: "known-tags" });
    const close = () => {
      field.blur();
      this.#tags();
      /** @type {HTMLElement} */ (this.tags.lastElementChild)?.focus();
    };
    field.addEventListener("keydown", async (event) => {
      if (event.key === "Escape") close();
      if (event.key !== "Enter") return;
      const tag = field.value.trim();
      if (!tag) return close();
      field.blur();
      if (!(await this.page.tryAnnotate({ add_tags: [tag] }))) field.focus();
      else close();
    });
    this.tags.lastElementChild.replaceWith(field, known);
    field.focus();
    get("annotations/tags", { limit: 200 }).then((found) => fill(known, found.tags.map(({ tag }) => h("option", { value: tag }))), () => {});
  }

  #colour() {
    const { page } = this;
    const paint = (colour) => {
      opened?.close();
      page.tryAnnotate({ set: { colour } });
    };
    const own = /** @type {HTMLInputElement} */ (h("input", { type: "color", value: page.colour, "aria-label": "Another colour", on: { change: () => paint(own.value) } }));
    const opened = popover(this.dot, h("div", { class: "palette" },
      PALETTE.map((one) => h("button", { type: "button", class: "swatch", style: `--own:${one}`, "aria-label": `Colour ${one}`, title: one, on: { click: () => paint(one) } })),
      own, button("reset", "The colour it had", () => paint(""), { text: "Reset" })), { label: "Colour of the run" });
  }

  #download() {
    menu(this.load, "Download", [
      { label: "All that it logged…", icon: "download", run: () => download(null, { keys: [this.page.key] }) },
      { label: "This page as JSON", icon: "download", run: () => open(`/api/v1/runs/${this.page.key}`, "_blank", "noopener") },
    ]);
  }

  #menu() {
    const { page } = this;
    const { annotation } = page.data;
    const archived = Boolean(annotation?.archived);
    menu(this.more, "More", [
      { label: "Copy the run's key", icon: "copy", run: () => copy(page.key, "Key") },
      { label: "Copy as Python", icon: "copy", run: () => copy(`import boardlake\n\nlake = boardlake.open("${location.origin}")\nlake.runs("run_key = '${page.key}'")`, "Python") },
      { label: archived ? "Take out of the archive" : "Archive", icon: "archive", run: () => page.tryAnnotate({ set: { archived: !archived } }) },
      "-",
      { label: "Delete…", icon: "trash", danger: true, run: () => deleteRuns([page.key], page.gone) },
    ]);
  }

  #compare() {
    const { run } = this.page.data;
    const picked = new Set();
    const field = h("input", { type: "text", placeholder: "Words of a run's name, or a filter", "aria-label": "Search runs", autofocus: true, value: "" });
    const box = h("div", { class: "pick" });
    let asking = new AbortController();
    const find = async () => {
      asking.abort();
      asking = new AbortController();
      try {
        const filter = field.value.trim() || (run.project ? `project = ${literal(run.project)}` : "");
        const found = await get("runs", { filter, columns: ["run_key", "name", "path", "state", "last_event_at"], sort: "-last_event_at", limit: 50 }, asking.signal);
        const rows = found.rows.filter(([id]) => id !== run.run_id);
        fill(box, rows.length ? rows.map(([, key, name, path, state, at]) => {
          const tick = /** @type {HTMLInputElement} */ (h("input", { type: "checkbox", checked: picked.has(key), on: { change: () => (tick.checked ? picked.add(key) : picked.delete(key)) } }));
          return h("label", null, tick, h("span", { class: "label", title: path }, name), h("span", { class: `state ${state}` }, state), h("span", { class: "muted" }, ago(at)));
        }) : empty("No other run matches this search."));
      } catch (error) {
        if (!withdrawn(error)) fill(box, failed(error, null));
      }
    };
    field.addEventListener("input", debounce(find, 150));
    dialog(`Compare ${this.page.label} with…`, [field, box], [{ label: "Compare", primary: true, run: () => {
      if (!picked.size) {
        toast("Tick at least one run");
        return false;
      }
      location.href = `/compare?${new URLSearchParams({ runs: [run.run_key, ...picked].join(","), base: run.run_key })}`;
    } }]);
    field.focus();
    find();
  }
}
