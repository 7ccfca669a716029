/** One image over the page, with the steps before and after it. */

import { fill, h } from "../core/dom.js";
import { bytes } from "../core/format.js";
import { dialog } from "../core/ui.js";
import { StepSlider, wallText } from "./steps.js";

/**
 * Show an image of a card large; the page's step moves with it.
 * @param {any} card of `media.js` @param {number} idx which of the images of a step
 */
export function large(card, idx) {
  const { state } = card.tab.page;
  const slider = new StepSlider(state, "Step of the image");
  const img = /** @type {HTMLImageElement} */ (h("img", { class: "large" }));
  const says = h("p", { class: "muted" });
  const draw = () => {
    slider.draw();
    const items = card.items.get(slider.step) ?? [];
    const one = items.find((item) => item.idx === idx) ?? items[0];
    if (!one) return;
    img.alt = `${card.series.tag}, step ${one.step}`;
    img.classList.toggle("small", Boolean(one.width && one.width < 400));
    if (img.getAttribute("src") !== one.url) img.src = one.url;
    fill(says, [one.width && `${one.width} × ${one.height}`, bytes(one.nbytes), one.mime, one.label].filter(Boolean).join(" · "), wallText(card.walls.get(one.step)), " · ",
      h("a", { href: one.url, target: "_blank", rel: "noopener" }, "as a file"));
  };
  const opened = dialog(card.series.display_name || card.series.tag, h("div", { class: "largebox" }, slider.el, img, says), [], { wide: true });
  slider.set(card.steps, card.walls);
  opened.el.addEventListener("close", state.on(draw));
  opened.el.addEventListener("keydown", (event) => {
    if (event.target === slider.range) return;
    if (event.key === "ArrowLeft") slider.back.click();
    else if (event.key === "ArrowRight") slider.next.click();
    else return;
    event.preventDefault();
  });
  draw();
  slider.range.focus();
}
