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
  }

  /**
   * Ask, and show the answer; one that another question has overtaken is dropped.
   * @param {(signal: AbortSignal) => Promise<any>} question @param {(found: any) => void} show
   */
  async ask(question, show) {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.content.setAttribute("aria-busy", "true");
    try {
      const found = await question(signal);
      if (signal.aborted) return;
      this.found = found;
      fill(this.wrong);
      show(found);
    } catch (error) {
      if (signal.aborted || withdrawn(error)) return;
      fill(this.wrong, failed(error, () => this.ask(question, show)));
    }
    this.content.removeAttribute("aria-busy");
  }
}
