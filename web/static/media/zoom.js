/** Where people look in the viewer's images: wheel, drag, pinch and keys, one view for both images. */

import { debounce } from "../core/dom.js";

const [LEAST, MOST] = [0.02, 160]; // screen pixels of an image's pixel
const NEAR = 16; // pixels around the wipe's line that hold it

const round = (value) => Math.round(value * 1000) / 1000;

/** The view of the viewer. */
export class Zoom {
  /** @param {any} viewer with `state`, `extent`, `left`, `right`, `mode` and `draw` */
  constructor(viewer) {
    this.viewer = viewer;
    /** What people move right now; the state has it a moment later. @type {{scale: number, x: number, y: number} | null} */
    this.view = null;
    /** Other images stand under the pointer now. */
    this.again = () => {};
    this.keep = debounce((vz) => { if (viewer.dialog && this.view) viewer.state.set({ vz }); }, 300);
  }

  /** The scale, and the place of the image that is in the middle of the window. */
  get looking() {
    const { extent, state } = this.viewer;
    if (!extent) return { scale: 1, x: 0, y: 0 };
    const kept = state.get("vz");
    return this.view ?? (kept ? { scale: kept[0], x: kept[1], y: kept[2] } : { scale: this.#fitting(extent), x: extent.width / 2, y: extent.height / 2 });
  }

  #fitting(extent) {
    const { width, height } = this.viewer.left.size;
    const scale = Math.min((width - 16) / extent.width, (height - 16) / extent.height);
    // Small images are shown in whole multiples of their pixels.
    return Math.max(LEAST, Math.min(MOST, scale >= 2 ? Math.floor(scale) : scale));
  }

  /** All of it. */
  fit() {
    this.view = null;
    this.viewer.state.set({ vz: null });
    this.viewer.draw();
  }

  /** Closer or further. @param {number} by @param {{x: number, y: number}} [around] a place that stays where it is */
  by(by, around) {
    this.to(this.looking.scale * by, { around });
  }

  /** To a scale, around a place that stays where it is or with a place in the middle. */
  to(wanted, { around, middle } = {}) {
    const view = this.looking;
    const scale = Math.max(LEAST, Math.min(MOST, wanted));
    const fixed = around ?? { x: view.x, y: view.y };
    this.#look({ scale, ...(middle ?? { x: fixed.x + ((view.x - fixed.x) * view.scale) / scale, y: fixed.y + ((view.y - fixed.y) * view.scale) / scale }) });
  }

  /** Move what is seen by pixels of the screen. */
  pan(dx, dy) {
    const view = this.looking;
    this.#look({ scale: view.scale, x: view.x - dx / view.scale, y: view.y - dy / view.scale });
  }

  #look({ scale, x, y }) {
    const { extent } = this.viewer;
    if (!extent) return;
    // Something of the image stays in sight.
    this.view = { scale, x: Math.max(0, Math.min(extent.width, x)), y: Math.max(0, Math.min(extent.height, y)) };
    this.keep([round(this.view.scale), round(this.view.x), round(this.view.y)]);
    this.viewer.draw();
  }

  /** Listen to wheel, mouse and fingers. @param {HTMLElement} stage @param {(place: {x: number, y: number} | null) => void} hover */
  listen(stage, hover) {
    const { viewer } = this;
    const { state } = viewer;
    let last = null;
    this.again = () => hover(last && place(last));
    const place = (event) => ([viewer.left, viewer.right].find((one) => one.box.contains(event.target)) ?? viewer.left).toImage(this.looking, event.clientX, event.clientY);
    const across = (event) => {
      const box = viewer.left.box.getBoundingClientRect();
      return { width: box.width, x: event.clientX - box.left };
    };
    const nearLine = (event) => viewer.mode === "wipe" && Math.abs(across(event).x - state.get("cut") * across(event).width) < NEAR;
    const touches = new Map();
    let wiping = false;
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      const by = Math.max(-400, Math.min(400, event.deltaY * lines));
      this.by(Math.exp(-by * (event.ctrlKey ? 0.01 : 0.0018)), place(event));
      hover(place(event));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.target.closest("button")) return;
      const within = event.target;
      stage.setPointerCapture(event.pointerId);
      touches.set(event.pointerId, { x: event.clientX, y: event.clientY, within });
      wiping = nearLine(event);
      stage.classList.add("held");
    });
    stage.addEventListener("pointermove", (event) => {
      const before = touches.get(event.pointerId);
      last = { clientX: event.clientX, clientY: event.clientY, target: event.target };
      if (!before) {
        hover(place(event));
        stage.classList.toggle("parting", nearLine(event));
        return;
      }
      const other = [...touches].find(([id]) => id !== event.pointerId)?.[1];
      if (wiping) state.set({ cut: Math.max(0, Math.min(1, across(event).x / across(event).width)) }, { commit: false });
      else if (other) {
        const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
        const middle = { clientX: (event.clientX + other.x) / 2, clientY: (event.clientY + other.y) / 2, target: before.within };
        this.by(apart({ x: event.clientX, y: event.clientY }) / apart(before), place(middle));
      } else this.pan(event.clientX - before.x, event.clientY - before.y);
      touches.set(event.pointerId, { ...before, x: event.clientX, y: event.clientY });
    });
    stage.addEventListener("lostpointercapture", (event) => {
      touches.delete(event.pointerId);
      if (wiping) state.set({ cut: state.get("cut") });
      wiping = false;
      if (!touches.size) stage.classList.remove("held");
    });
    stage.addEventListener("pointerleave", () => hover(last = null));
    stage.addEventListener("dblclick", (event) => {
      if (state.get("vz") || this.view) this.fit();
      else this.by(Math.max(2, 16 / this.looking.scale), place(event));
    });
  }
}
