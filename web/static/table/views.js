/** Saved views: the state of the page under a name. */

import { get, send } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { ago, time } from "../core/format.js";
import { TensorboardLink } from "../core/tensorboard.js";
import { copy, failed, popover, tell } from "../core/ui.js";
import { both } from "./language.js";

/**
 * The button that saves this view and lists those that are saved.
 * @param {import("../core/state.js").State} state @param {(values: Record<string, any>) => string} [narrow] the condition besides the filter in the state of a view
 */
export function viewsButton(state, narrow = () => "") {
  const open = button(null, "Saved views", () => {
    const views = new Views(state, narrow);
    views.shown = popover(open, views.el, { label: "Saved views", class: "views", align: "end" });
  }, { text: "Views", "aria-haspopup": "dialog", "aria-expanded": "false" });
  return open;
}

class Views {
  constructor(state, narrow) {
    Object.assign(this, { state, narrow });
    this.name = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": "Name of this view", placeholder: "Name of this view", maxlength: "200", autofocus: true, autocomplete: "off" }));
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.list = h("ul", { class: "view-list", "aria-label": "Saved views" });
    const save = h("form", { class: "view-save", on: { submit: (event) => this.#save(event) } }, this.name, h("button", { class: "button primary" }, "Save"));
    this.el = h("div", { class: "views-editor" }, save, this.wrong, this.list);
    this.#load();
  }

  async #load() {
    try {
      const { views } = await get("views");
      const own = views.filter((one) => one.page === this.state.page);
      fill(this.list, own.length ? own.map((one) => this.#row(one)) : h("li", { class: "muted none" }, "No view is saved yet: a name keeps the filter, columns, order and charts as they are now."));
    } catch (error) {
      fill(this.list, failed(error, () => this.#load()));
    }
  }

  #row(view) {
    const link = `${location.origin}/v/${view.id}`;
    const remove = button("trash", `Delete ${view.name}`, () => this.#remove(view));
    return h("li", null,
      h("a", { href: `/v/${view.id}`, title: time(view.created_at) }, view.name),
      h("span", { class: "muted" }, ago(view.created_at)),
      this.#board(view),
      button("share", `Copy the link to ${view.name}`, () => copy(link, "Link")), remove);
  }

  /** TensorBoard knows a view by its id; what narrows its filter is no part of that. */
  #board({ id, name, state: { q = "", arch = false, dup = false, sel = [], ...values } }) {
    const only = sel.length ? "" : this.narrow(values);
    const link = new TensorboardLink({ text: "" });
    link.show(only ? { filter: both(q, only), archived: arch, duplicates: dup } : { view: id }, { label: `Open the runs of ${name} in TensorBoard` });
    return link.el;
  }

  async #save(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    fill(this.wrong);
    if (!name) {
      fill(this.wrong, "A view needs a name");
      return;
    }
    try {
      await this.state.link(name);
      this.name.value = "";
      await this.#load();
    } catch (error) {
      fill(this.wrong, tell(error));
    }
  }

  async #remove(view) {
    try {
      await send("DELETE", `views/${view.id}`, {});
      await this.#load();
      this.name.focus();
    } catch (error) {
      fill(this.wrong, tell(error));
    }
  }
}
