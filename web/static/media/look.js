/** Brightness and contrast of images as the state has them. */

/** As a CSS and canvas filter; "" leaves images as they were logged. @param {import("../core/state.js").State} state */
export function lookStyle(state) {
  const { bright, contrast } = state.values;
  return [bright !== 1 && `brightness(${bright})`, contrast !== 1 && `contrast(${contrast})`].filter(Boolean).join(" ");
}
