/** Many values of every run, each on an axis of its own. */

export class Parallel {
  constructor(el, state, page) {
    Object.assign(this, { el, state, page });
  }

  update() {}
}
