/** What can be done with the selected runs: a bar that is there as long as any are. */

import { tagInput } from "../core/combo.js";
import { button, debounce, fill, h, icon } from "../core/dom.js";
import { plural } from "../core/format.js";
import { bind } from "../core/keys.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { copy, dialog, menu, popover, tell, toast } from "../core/ui.js";
import { retag, write } from "./changes.js";
import { described, kept } from "./chosen.js";
import { deleteRuns } from "./deletion.js";
import { download } from "./download.js";
import { peoplesTags } from "./names.js";

const MOST_TAG = 64;
const MOST_COMPARED = 200;

export class Bulk {
  /**
   * @param {HTMLElement} el where the bar is put
   * @param {import("../core/state.js").State} state its `sel`, `base` and `q`
   * @param {{refresh: () => void}} table told after each change
   */
  constructor(el, state, table) {
    this.state = state;
    this.table = table;
    this.runs = [];
    this.board = new TensorboardLink({ text: "", part: "board" });
    this.el = h("div", { class: "bulkbar", role: "toolbar", "aria-label": "Selected runs", hidden: true });
    el.append(this.el);
    this.soon = debounce(() => this.#look(), 150);
    state.on((changed) => {
      if (changed.has("sel") || changed.has("base")) this.#draw();
      if (changed.has("sel")) this.soon();
    });
    bind("c", "compare the selected runs", () => (this.keys.length > 1 ? this.compare() : false));
    this.#draw();
    this.#look();
  }

  /** The selected run_keys. */
  get keys() {
    return this.state.get("sel");
  }

  async #look() {
    const { keys } = this;
    if (!keys.length) return;
    try {
      const runs = await described(keys);
      if (keys !== this.keys) return;
      this.runs = runs;
      this.#draw();
    } catch {
      // Without names the bar still works; what is then done tells its own errors.
    }
  }

  #changed() {
    this.table.refresh();
    this.#look();
  }

  #draw() {
    const { keys } = this;
    this.el.hidden = !keys.length;
    if (!keys.length) {
      this.runs = [];
      fill(this.el);
      return;
    }
    const one = keys.length === 1;
    const known = this.runs.length === keys.length;
    const away = known && this.runs.every((run) => run.archived);
    const focus = /** @type {HTMLElement | null} */ (this.el.contains(document.activeElement) ? document.activeElement : null)?.dataset.part;
    const act = (part, name, label, run, more = {}) => button(name, label, run, { "data-part": part, ...more });
    this.board.show({ runs: keys }, { count: keys.length, kind: "selected" });
    fill(
      this.el,
      h("strong", { class: "bulk-count", role: "status" }, `${keys.length.toLocaleString("en-US")} selected`),
      act("compare", "compare", one ? "Select two runs or more to compare them" : "Compare side by side (c)", () => this.compare(), { text: "Compare", disabled: one }),
      act("tag", "tag", "Add and remove tags", (event) => this.tag(event.currentTarget), { text: "Tag", "aria-haspopup": "dialog", "aria-expanded": "false" }),
      this.board.el,
      act("only", "eye", "Show only these runs in the table", () => this.only()),
      one && act("rename", "edit", "Rename", () => this.rename()),
      one && act("base", "pin", this.state.get("base") === keys[0] ? "No longer the baseline" : "Make it the baseline that the others are compared with", () => this.baseline(), { "aria-pressed": String(this.state.get("base") === keys[0]) }),
      act("archive", away ? "undo" : "archive", away ? "Bring back from the archive" : "Archive: hidden, not deleted", () => this.archive(!away)),
      act("download", "download", "Download", () => download(this.state, { keys })),
      act("delete", "trash", "Delete for good", () => deleteRuns(keys, () => this.#gone(keys)), { class: "button bare danger" }),
      act("more", "menu", "More", (event) => this.#more(event.currentTarget), { "aria-haspopup": "menu" }),
      act("clear", "close", "Clear the selection", () => this.state.set({ sel: [] })),
    );
    if (focus) /** @type {HTMLElement | null} */ (this.el.querySelector(`[data-part=${focus}]`))?.focus();
  }

  #more(anchor) {
    const some = this.runs.some((run) => run.archived) || this.runs.length < this.keys.length;
    menu(anchor, "More", [
      { label: "Write a note", icon: "edit", run: () => this.note() },
      { label: "Copy the keys", icon: "share", run: () => copy(this.keys.join("\n"), "Keys") },
      some && { label: "Bring back from the archive", icon: "undo", run: () => this.archive(false) },
    ]);
  }

  /** Open the comparison of the selected runs. */
  compare() {
    const { keys } = this;
    if (keys.length > MOST_COMPARED) {
      toast(`${keys.length} runs are too many to stand side by side: at most ${MOST_COMPARED}`, { bad: true });
      return;
    }
    const base = this.state.get("base");
    const query = new URLSearchParams({ runs: keys.join(",") });
    if (keys.includes(base)) query.set("base", base);
    location.href = `/compare?${query}`;
  }

  /** Leave only the selected runs in the table. */
  async only() {
    try {
      this.state.set({ q: await kept(this.keys) });
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  }

  baseline() {
    const [key] = this.keys;
    this.state.set({ base: this.state.get("base") === key ? "" : key });
  }

  async archive(on) {
    const { keys } = this;
    try {
      await write(keys, { archived: on }, `${plural(keys.length, "run")} ${on ? "archived" : "brought back"}`, () => this.#changed());
    } catch (error) {
      toast(tell(error), { bad: true });
    }
  }

  /** The one selected run as it is now: what was looked up for many has no notes, and must not be written over them. */
  async #one() {
    try {
      return (await described(this.keys.slice(0, 1)))[0] ?? null;
    } catch (error) {
      toast(tell(error), { bad: true });
      return null;
    }
  }

  async rename() {
    const [key] = this.keys;
    const run = await this.#one();
    if (!run) return;
    const input = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": "Name", value: run.label, maxlength: "200", class: "whole" }));
    const set = () => {
      // Its first name, written again, is no name of its own.
      const name = input.value.trim() === run.name ? "" : input.value.trim();
      return write([key], { name }, name ? `Renamed to “${name}”` : "It has its first name again", () => this.#changed());
    };
    const asked = dialog("Rename", [input, h("p", { class: "muted" }, `Without a name of its own it is called ${run.name}.`)], [{ label: "Rename", primary: true, run: set }]);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") /** @type {HTMLElement} */ (asked.el.querySelector("footer .primary")).click();
    });
    input.focus();
    input.select();
  }

  async note() {
    const { keys } = this;
    const one = keys.length === 1 ? await this.#one() : { notes: "" };
    if (!one) return;
    const input = h("textarea", { rows: 8, "aria-label": "Note", value: one.notes, maxlength: "20000", placeholder: "Markdown" });
    const told = keys.length > 1 && h("p", { class: "muted" }, `It takes the place of the notes of ${plural(keys.length, "run")}.`);
    const run = () => write(keys, { notes: /** @type {HTMLTextAreaElement} */ (input).value }, "Note written", () => this.#changed());
    dialog("Note", [input, told], [{ label: "Write", primary: true, run }]);
    input.focus();
  }

  /** Tags of the selected runs, with a field for more. */
  tag(anchor) {
    const { keys } = this;
    const box = h("div", { class: "tag-editor" });
    const wrong = h("p", { class: "wrong", role: "alert" });
    const chips = h("div", { class: "chips" });
    const draw = () => {
      const counts = new Map();
      for (const run of this.runs) for (const tag of run.tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
      fill(chips, counts.size ? [...counts].sort((a, b) => b[1] - a[1]).map(([tag, count]) =>
        h("span", { class: "chip" }, tag, count < keys.length && h("span", { class: "muted" }, `${count} of ${keys.length}`),
          h("button", { type: "button", class: "chip-remove", "aria-label": `Remove the tag ${tag}`, title: `Remove the tag ${tag}`, on: { click: () => change({ remove: [tag] }) } }, icon("close"))))
        : h("span", { class: "muted" }, keys.length === 1 ? "It has no tags yet" : "They have no tags yet"));
    };
    const change = async (what) => {
      fill(wrong);
      try {
        await retag(keys, what, () => this.table.refresh());
        await this.#look();
        draw();
      } catch (error) {
        fill(wrong, tell(error));
      }
    };
    fill(box, chips);
    const tags = peoplesTags().catch(() => []);
    const { input } = tagInput(box, {
      label: "Add a tag", placeholder: "Add a tag", free: true, tags: () => tags,
      pick: (tag) => (tag.length > MOST_TAG ? fill(wrong, `A tag has at most ${MOST_TAG} characters`) : change({ add: [tag] })),
    });
    box.append(wrong);
    draw();
    popover(anchor, box, { label: "Tags", class: "tags" });
    input.focus();
    // The selection may be newer than what is known of it.
    this.#look().then(draw);
  }

  #gone(keys) {
    const gone = new Set(keys);
    const left = (name) => this.state.get(name).filter((key) => !gone.has(key));
    this.state.set({ sel: left("sel"), hide: left("hide"), show: left("show"), base: gone.has(this.state.get("base")) ? "" : this.state.get("base") });
    this.table.refresh();
  }
}
