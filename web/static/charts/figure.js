/** The only module that knows BokehJS: pools of lean figures, each kind with its layers of lines and points. */

import { h } from "../core/dom.js";
import { onTheme } from "../core/theme.js";
import { captionedPng, captionedSvg } from "./caption.js";

const POOL = 60;
/** @type {Map<string, Figure[]>} */
const idle = new Map();
/** @type {Set<Figure>} */
const all = new Set();
// Colours of grids and labels come from the style sheet, which is read when something is painted.
onTheme(() => { for (const one of all) one.repaint(); });

const lineGlyph = (B, more = {}) => new B.MultiLine({ xs: { field: "xs" }, ys: { field: "ys" }, line_color: { field: "colour" }, line_dash: { field: "dash" }, line_width: { field: "width" }, line_join: "bevel", ...more });
const plainGlyph = (B, more = {}) => new B.MultiLine({ xs: { field: "xs" }, ys: { field: "ys" }, line_color: { field: "colour" }, line_width: 1, line_join: "bevel", ...more });
const spotGlyph = (B, more) => new B.Scatter({ x: { field: "x" }, y: { field: "y" }, ...more });
const LINES = ["xs", "ys", "colour", "dash", "width"];
const PLAIN = ["xs", "ys", "colour"];

/**
 * The layers of each kind of figure, from the back to the front: the columns of its data and its glyph. What is `over`
 * is on a canvas of its own: it is painted without the others, and not cut at the frame.
 * @type {Record<string, {axes: boolean, borders: number[], layers: Record<string, {columns: string[], glyph: (B: any) => any, over?: boolean}>}>}
 */
const KINDS = {
  curves: {
    axes: true, borders: [6, 18, 22, 44],
    layers: {
      bands: { columns: PLAIN, glyph: (B) => new B.Patches({ xs: { field: "xs" }, ys: { field: "ys" }, line_color: { field: "colour" }, fill_color: { field: "colour" }, fill_alpha: 0.16, line_alpha: 0.3, line_width: 1 }) },
      spans: { columns: ["x", "colour"], glyph: (B) => new B.VSpan({ x: { field: "x" }, line_color: { field: "colour" }, line_dash: [2, 3], line_alpha: 0.7, line_width: 1 }) },
      faint: { columns: PLAIN, glyph: (B) => plainGlyph(B, { line_alpha: 0.25 }) },
      lines: { columns: LINES, glyph: lineGlyph },
      dots: { columns: ["x", "y", "colour", "marker"], glyph: (B) => spotGlyph(B, { marker: { field: "marker" }, line_color: { field: "colour" }, fill_color: { field: "colour" }, size: 7 }) },
      over: { columns: LINES, glyph: lineGlyph, over: true },
    },
  },
  points: {
    axes: true, borders: [8, 16, 24, 48],
    layers: {
      dots: { columns: ["x", "y", "colour", "size"], glyph: (B) => spotGlyph(B, { marker: "circle", line_color: null, fill_color: { field: "colour" }, fill_alpha: 0.75, size: { field: "size" } }) },
      rings: { columns: ["x", "y", "colour", "size"], over: true, glyph: (B) => spotGlyph(B, { marker: "circle", fill_color: null, line_color: { field: "colour" }, line_width: 1.5, size: { field: "size" } }) },
      over: { columns: LINES, glyph: lineGlyph, over: true },
    },
  },
  parallel: {
    axes: false, borders: [0, 0, 0, 0],
    layers: {
      faint: { columns: PLAIN, glyph: (B) => plainGlyph(B, { line_alpha: 0.16 }) },
      lines: { columns: PLAIN, over: true, glyph: (B) => plainGlyph(B) },
      rails: { columns: LINES, glyph: lineGlyph, over: true },
    },
  },
};

const empty = (columns) => Object.fromEntries(columns.map((name) => [name, []]));

/** @type {Promise<any> | null} */
let loading = null;

/** BokehJS, one script after the other: it takes a while to read, so that it is not read before a chart has asked for its points. */
function loaded() {
  const sources = /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=bokeh]")).content.split(" ");
  loading ??= sources.reduce((before, src) => before.then(() => new Promise((done, fail) => {
    document.head.append(h("script", { src, on: { load: done, error: () => fail(new Error("BokehJS cannot be loaded")) } }));
  })), Promise.resolve()).catch((error) => { loading = null; throw error; });
  return loading;
}

/** Bokeh's own words on the console say nothing to a reader. */
function bokeh() {
  const found = /** @type {any} */ (window).Bokeh;
  if (!found.boardlake) {
    found.boardlake = true;
    found.logger.set_level("warn");
  }
  return found;
}

function axis(B) {
  const ticker = new B.FixedTicker({ ticks: [], minor_ticks: [] });
  const model = new B.LinearAxis({
    ticker, axis_line_color: null, major_tick_line_color: null, minor_tick_line_color: null,
    major_label_text_font: "system-ui", major_label_text_font_size: "11px", major_label_standoff: 4,
  });
  return { ticker, model };
}

/** One figure; it is taken from the pool with `borrow` and given back with `giveBack`. */
export class Figure {
  /** @private @param {string} kind */
  static async make(kind) {
    await loaded();
    const B = bokeh();
    const figure = new Figure();
    const { axes, borders: [top, right, bottom, left], layers } = KINDS[kind];
    figure.kind = kind;
    figure.layers = layers;
    figure.x = new B.Range1d({ start: 0, end: 1 });
    figure.y = new B.Range1d({ start: 0, end: 1 });
    figure.model = new B.Plot({
      width: 300, height: 200, x_range: figure.x, y_range: figure.y, toolbar_location: null, sizing_mode: "fixed",
      background_fill_color: null, border_fill_color: null, outline_line_color: null,
      min_border_left: left, min_border_right: right, min_border_top: top, min_border_bottom: bottom,
    });
    if (axes) {
      figure.below = axis(B);
      figure.left = axis(B);
      figure.model.add_layout(figure.below.model, "below");
      figure.model.add_layout(figure.left.model, "left");
      for (const [dimension, { model }] of [figure.below, figure.left].entries()) figure.model.add_layout(new B.Grid({ axis: model, dimension, grid_line_width: 1 }));
    }
    figure.sources = {};
    for (const [name, { columns, glyph, over }] of Object.entries(layers)) {
      figure.sources[name] = new B.ColumnDataSource({ data: empty(columns) });
      const renderer = figure.model.add_glyph(glyph(B), figure.sources[name]);
      if (over) renderer.level = "overlay";
    }
    figure.host = document.createElement("div");
    figure.host.className = "canvas";
    // Mouse and keys are ours: nothing within takes the focus.
    figure.host.inert = true;
    const kept = [];
    /** @type {any} */ (window).boardlakeRecordViewport?.(kept);
    try {
      document.body.append(figure.host);
      figure.document = new B.Document();
      figure.document.add_root(figure.model);
      const views = await B.embed.add_document_standalone(figure.document, figure.host);
      figure.view = views.get(figure.model);
    } finally {
      /** @type {any} */ (window).boardlakeRecordViewport?.(null);
    }
    figure.listeners = kept;
    all.add(figure);
    return figure;
  }

  /** Put it into *el* with a size in pixels. */
  attach(el, width, height) {
    el.prepend(this.host);
    this.resize(width, height);
  }

  resize(width, height) {
    if (this.model.width !== width || this.model.height !== height) this.model.setv({ width, height });
  }

  /**
   * Draw: layers by name (missing ones are emptied), ranges and ticks in places of the axes.
   * @param {{layers: Record<string, any>, x: [number, number], y: [number, number], xticks?: {at: number, label: string}[], yticks?: {at: number, label: string}[]}} picture
   */
  draw({ layers, x, y, xticks = [], yticks = [] }) {
    this.x.setv({ start: x[0], end: x[1] });
    this.y.setv({ start: y[0], end: y[1] });
    if (this.below) {
      label(this.below, xticks);
      label(this.left, yticks);
    }
    for (const name of Object.keys(this.layers)) this.put(name, layers[name]);
  }

  /** One layer anew, or without a *layer* nothing in it: where it is `over` nothing else is painted again. */
  put(name, layer) {
    const source = this.sources[name];
    if (!layer && !source.filled) return;
    source.data = layer ?? empty(this.layers[name].columns);
    source.filled = Boolean(layer);
  }

  /** Only the lines above the others. */
  over(layer) {
    this.put("over", layer);
  }

  /** The frame within the host, in pixels. */
  get frame() {
    const { left, top, width, height } = this.view.frame.bbox;
    return { left, top, width, height };
  }

  repaint() {
    this.view.request_repaint();
  }

  /** A picture of it as it is, with title and names. @param {{title: string, lines: {name: string, colour: string, dash: number[]}[]}} said @returns {Promise<Blob>} */
  png(said) {
    const { canvas } = this.view.export("png", true);
    return captionedPng(canvas, canvas.width / this.model.width, said);
  }

  svg(said) {
    const { width, height } = this.model;
    return captionedSvg(this.view.export("svg", true).ctx.get_serialized_svg(true), width, height, said);
  }
}

function label({ ticker, model }, ticks) {
  model.major_label_overrides = new Map(ticks.map(({ at, label: text }) => [at, text]));
  ticker.ticks = ticks.map(({ at }) => at);
}

// One at a time: what a figure listens to is recorded while it is made.
let making = Promise.resolve();

/** When the browser has nothing better to do, or half a second has passed. */
const leisure = () => new Promise((done) => (window.requestIdleCallback ?? setTimeout)(done, { timeout: 500 }));

const pool = (kind) => {
  if (!idle.has(kind)) idle.set(kind, []);
  return /** @type {Figure[]} */ (idle.get(kind));
};

/**
 * A figure for use; for a chart that is not in sight yet, once the browser has leisure.
 * @param {boolean} [urgent] @param {"curves" | "points" | "parallel"} [kind] which layers it has
 * @returns {Promise<Figure>}
 */
export async function borrow(urgent = true, kind = "curves") {
  if (!urgent) await leisure();
  const ready = pool(kind).pop();
  if (ready) return ready;
  const made = making.then(() => pool(kind).pop() ?? Figure.make(kind));
  making = made.then(() => undefined, () => undefined);
  return made;
}

/** Give a figure back; it is kept for the next one who needs it, or destroyed. */
export function giveBack(figure) {
  figure.host.remove();
  for (const name of Object.keys(figure.layers)) figure.put(name, null);
  if (pool(figure.kind).length < POOL) {
    pool(figure.kind).push(figure);
    return;
  }
  all.delete(figure);
  const B = bokeh();
  figure.document.remove_root(figure.model);
  const at = B.documents.indexOf(figure.document);
  if (at >= 0) B.documents.splice(at, 1);
  B.index.delete?.(figure.view);
  for (const [type, listener] of figure.listeners) window.visualViewport?.removeEventListener(type, listener);
}
