/** Statements under a name: everybody who uses this lake sees them. */

import { get, send } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { ago, time } from "../core/format.js";
import { copy, failed, tell } from "../core/ui.js";

export class Saved {
  /** @param {HTMLElement} el @param {import("../core/state.js").State} state */
  constructor(el, state) {
    this.state = state;
    this.name = /** @type {HTMLInputElement} */ (h("input", { type: "text", "aria-label": "Name of this query", placeholder: "Name of this query", maxlength: "200", autocomplete: "off" }));
    this.wrong = h("p", { class: "wrong", role: "alert" });
    this.list = h("div", null);
    el.append(h("form", { class: "sql-find", on: { submit: (event) => this.#save(event) } }, this.name, h("button", { class: "button primary" }, "Save")), this.wrong, this.list);
  }

  /** Ask what is saved. */
  async load() {
    try {
      const own = (await get("views")).views.filter((one) => one.page === this.state.page);
      fill(this.list, own.length ? h("ul", { class: "sql-list", "aria-label": "Saved queries" }, own.map((one) => this.#row(one)))
        : h("p", { class: "muted none" }, "No query is saved yet: a name keeps the statement, its chart and the order of its rows, for everybody."));
    } catch (error) {
      fill(this.list, failed(error, () => this.load()));
    }
  }

  #row(view) {
    return h("li", { class: "sql-saved" },
      h("a", { class: "sql-item", href: `/v/${view.id}` }, h("span", null, view.name), h("span", { class: "muted", title: time(view.created_at) }, ago(view.created_at))),
      button("share", `Copy the link to ${view.name}`, () => copy(`${location.origin}/v/${view.id}`, "Link")),
      button("trash", `Delete ${view.name}`, () => this.#remove(view)));
  }

  async #save(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    fill(this.wrong);
    if (!name) {
      fill(this.wrong, "A query needs a name");
      this.name.focus();
      return;
    }
    try {
      await this.state.link(name);
      this.name.value = "";
      await this.load();
    } catch (error) {
      fill(this.wrong, tell(error));
    }
  }

  async #remove(view) {
    fill(this.wrong);
    try {
      await send("DELETE", `views/${view.id}`, {});
      await this.load();
      this.name.focus();
    } catch (error) {
      fill(this.wrong, tell(error));
    }
  }
}
