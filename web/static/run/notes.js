/** Notes on a run in Markdown, with a preview beside them. */

import { send } from "../core/api.js";
import { button, debounce, fill, h } from "../core/dom.js";
import { tell, toast } from "../core/ui.js";
import { putCleanedHtml } from "./markup.js";

const LONGEST = 20000;

/** @type {import("./tabs.js").Part} */
export default {
  id: "notes",
  label: "Notes",
  none: "",
  about: () => true,
  make(el, page) {
    const notes = new Notes(page);
    fill(el, notes.el);
    return { update: () => notes.update() };
  },
};

class Notes {
  constructor(page) {
    this.page = page;
    this.saved = "";
    this.field = /** @type {HTMLTextAreaElement} */ (h("textarea", {
      class: "code", "aria-label": "Notes in Markdown", spellcheck: "true", maxlength: String(LONGEST), placeholder: "What was tried, what was seen, what is next. Markdown.",
      on: { input: () => this.#changed(), keydown: (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        this.#save();
      } },
    }));
    this.view = h("div", { class: "markdown", role: "region", "aria-label": "Preview", tabindex: "0" });
    this.save = button("check", "Save the notes", () => this.#save(), { text: "Save", class: "button primary" });
    this.drop = button("undo", "Back to what is saved", () => this.#put(this.saved), { text: "Discard" });
    this.says = h("span", { class: "muted", role: "status" });
    this.soon = debounce(() => this.#preview(), 200);
    this.el = h("div", { class: "notes" }, h("div", { class: "tools" }, this.save, this.drop, this.says, h("span", { class: "space" }), h("span", { class: "muted" }, h("kbd", null, "Ctrl"), " ", h("kbd", null, "Enter"), " saves")),
      h("div", { class: "editor" }, this.field, this.view));
    addEventListener("beforeunload", (event) => {
      if (this.dirty) event.preventDefault();
    });
  }

  get dirty() {
    return this.field.value !== this.saved;
  }

  /** What is being typed stays, whatever others saved meanwhile. */
  update() {
    const now = this.page.data.annotation?.notes ?? "";
    if (now === this.saved && this.drawn) return;
    const other = this.drawn && this.dirty;
    this.saved = now;
    if (!other) this.#put(now);
    else this.#state("Somebody else changed the notes meanwhile: saving replaces theirs");
    this.drawn = true;
  }

  #put(text) {
    this.field.value = text;
    this.#state("");
    this.#preview();
  }

  #changed() {
    this.#state("");
    this.soon();
  }

  #state(says) {
    this.save.disabled = !this.dirty;
    this.drop.disabled = !this.dirty;
    const left = LONGEST - this.field.value.length;
    fill(this.says, says || (this.dirty ? "Not saved" : ""), left < 1000 && ` · ${left} characters left`);
  }

  async #preview() {
    const text = this.field.value;
    if (!text.trim()) {
      fill(this.view, h("p", { class: "muted" }, "Nothing is noted on this run yet."));
      return;
    }
    try {
      const { html } = await send("POST", "markdown", { text });
      if (text === this.field.value) putCleanedHtml(this.view, html);
    } catch (error) {
      fill(this.view, h("p", { class: "wrong" }, tell(error)));
    }
  }

  async #save() {
    const notes = this.field.value;
    if (!this.dirty) return;
    this.save.disabled = true;
    try {
      await send("PATCH", "annotations", { runs: [this.page.key], set: { notes } });
      this.saved = notes;
      toast("Notes saved");
      await this.page.reload();
    } catch (error) {
      toast(tell(error), { bad: true });
    }
    this.#state("");
  }
}
