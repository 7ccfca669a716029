/** A part of the page that is asked for: what is seen stays until the next answer is there, and an error stands in its place. */

import { withdrawn } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { failed } from "../core/ui.js";

/** A place for answers. */
export class Answer {
  /** @param {...any} content what answers are drawn into */
  constructor(...content) {
    this.wrong = h("div");
    this.content = h("div", { class: "answer" }, content);
    this.el = h("div", null, this.wrong, this.content);
    this.asking = new AbortController();
    /** What was answered last. @type {any} */
    this.found = null;
    /** What was asked last. @type {string | null} */
    this.key = null;
    this.pending = false;
    this.at = 0;
  }

  /**
   * Ask, and show the answer; one that another question has overtaken is dropped. While the same is on its way it is
   * not asked again: a lake that changes faster than it answers would never be seen.
   * @param {any} about what the question depends on @param {(signal: AbortSignal) => Promise<any>} question
   * @param {(found: any) => void} show @param {number} [rest] so many milliseconds an answer to the same is good enough
   */
  async ask(about, question, show, rest = 0) {
    const key = JSON.stringify(about);
    const same = key === this.key;
    if (same && (this.pending || (this.found && Date.now() - this.at < rest))) return;
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    Object.assign(this, { key, pending: true });
    this.content.setAttribute("aria-busy", "true");
    try {
      const found = await question(signal);
      if (signal.aborted) return;
      Object.assign(this, { found, at: Date.now() });
      fill(this.wrong);
      show(found);
    } catch (error) {
      if (signal.aborted || withdrawn(error)) return;
      this.at = 0;
      fill(this.wrong, failed(error, () => this.ask(about, question, show)));
    }
    this.pending = false;
    this.content.removeAttribute("aria-busy");
  }
}
