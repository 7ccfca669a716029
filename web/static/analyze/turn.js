/** Questions one after the other: another one takes the place of what is on its way, the same one waits for it. */

/** A place for one answer. */
export class Turn {
  constructor() {
    this.asking = new AbortController();
    /** What was asked last. @type {string | null} */
    this.key = null;
    this.pending = false;
    this.again = false;
    this.at = 0;
    this.later = 0;
  }

  /**
   * Ask. While the same is on its way it is asked once more afterwards: a lake that changes faster than it answers
   * would never be seen.
   * @param {any} about what the question depends on @param {(signal: AbortSignal) => Promise<void>} question tells errors itself
   * @param {number} [rest] so many milliseconds an answer to the same is good enough
   */
  async take(about, question, rest = 0) {
    const key = JSON.stringify(about);
    const same = key === this.key;
    if (same && this.pending) {
      this.again = true;
      return;
    }
    clearTimeout(this.later);
    const left = same ? this.at + rest - Date.now() : 0;
    if (left > 0) {
      this.later = setTimeout(() => this.take(about, question), left);
      return;
    }
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    Object.assign(this, { key, pending: true, again: false });
    await question(signal);
    if (signal.aborted) return;
    Object.assign(this, { pending: false, at: Date.now() });
    if (this.again) this.take(about, question, rest);
  }

  /** The last answer is none: the same is asked anew at once. */
  void() {
    this.key = null;
  }
}
