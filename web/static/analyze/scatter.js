/** Two values of every run against each other. */

export class Scatter {
  constructor(el, state, page) {
    Object.assign(this, { el, state, page });
  }

  update() {}
}
