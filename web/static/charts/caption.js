/**
 * A chart's picture as it is taken away: under its title, above the names of its lines, with words that the page has above it.
 * @typedef {{title: string, lines: {name: string, colour: string, dash: number[]}[], words?: {x: number, y: number, text: string, align: "left" | "center" | "right", colour: string, halo: string}[]}} Said
 */

const EDGE = 12;
const HEAD = 28;
const ROW = 18;
const SAMPLE = 22;
const MOST = 40; // names; more would be a picture of names
const FONT = "12px system-ui, sans-serif";
const SMALL = "11px system-ui, sans-serif";
const TITLE = "600 13px system-ui, sans-serif";
const SVG = "http://www.w3.org/2000/svg";

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Where title and names stand around a picture of *width* by *height*.
 * @param {Said} said
 */
function layout({ title, lines }, width, height) {
  const pen = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  pen.font = FONT;
  const short = (name) => {
    let text = name;
    while (text.length > 4 && pen.measureText(text).width > width - 2 * EDGE - SAMPLE - 6) text = `${text.replace(/…$/, "").slice(0, -2)}…`;
    return text;
  };
  const named = lines.slice(0, MOST).map((line) => ({ ...line, name: short(line.name) }));
  if (lines.length > MOST) named.push({ name: `and ${lines.length - MOST} more`, colour: "", dash: [] });
  const room = Math.max(1, ...named.map((line) => SAMPLE + 22 + pen.measureText(line.name).width));
  const across = Math.max(1, Math.floor((width - 2 * EDGE + 16) / room));
  const items = named.map((line, i) => ({ ...line, x: EDGE + (i % across) * room, y: HEAD + height + ROW * (1 + Math.floor(i / across)) }));
  return { title, items, width, height: HEAD + height + (items.length ? ROW * Math.ceil(items.length / across) + EDGE : 0), panel: token("--panel"), ink: token("--text") };
}

/** @param {HTMLCanvasElement} canvas the picture @param {number} ratio its pixels to one of the page @param {Said} said @returns {Promise<Blob>} */
export function captionedPng(canvas, ratio, said) {
  const page = layout(said, canvas.width / ratio, canvas.height / ratio);
  const whole = document.createElement("canvas");
  whole.width = Math.ceil(page.width * ratio);
  whole.height = Math.ceil(page.height * ratio);
  const pen = /** @type {CanvasRenderingContext2D} */ (whole.getContext("2d"));
  pen.scale(ratio, ratio);
  pen.fillStyle = page.panel;
  pen.fillRect(0, 0, page.width, page.height);
  pen.drawImage(canvas, 0, HEAD, page.width, canvas.height / ratio);
  pen.font = SMALL;
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  for (const { x, y, text, align, colour, halo } of said.words ?? []) {
    pen.textAlign = align;
    pen.strokeStyle = halo;
    pen.strokeText(text, x, HEAD + y);
    pen.fillStyle = colour;
    pen.fillText(text, x, HEAD + y);
  }
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  pen.fillStyle = page.ink;
  pen.font = TITLE;
  pen.fillText(page.title, EDGE, 19, page.width - 2 * EDGE);
  pen.font = FONT;
  pen.lineWidth = 2.5;
  for (const { x, y, name, colour, dash } of page.items) {
    pen.fillText(name, colour ? x + SAMPLE + 6 : x, y);
    if (!colour) continue;
    pen.strokeStyle = colour;
    pen.setLineDash(dash);
    pen.beginPath();
    pen.moveTo(x, y - 4);
    pen.lineTo(x + SAMPLE, y - 4);
    pen.stroke();
  }
  return new Promise((resolve) => whole.toBlob((blob) => resolve(/** @type {Blob} */ (blob)), "image/png"));
}

/** @param {string} drawing an SVG of *width* by *height* @param {number} width @param {number} height @param {Said} said */
export function captionedSvg(drawing, width, height, said) {
  const page = layout(said, width, height);
  const made = (name, attributes, text = "") => {
    const el = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, String(value));
    el.textContent = text;
    return el;
  };
  const whole = made("svg", { width: page.width, height: page.height, viewBox: `0 0 ${page.width} ${page.height}` });
  const inner = document.importNode(new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement, true);
  inner.setAttribute("y", String(HEAD));
  const words = { fill: page.ink, "font-family": "system-ui, sans-serif" };
  whole.append(made("rect", { width: page.width, height: page.height, fill: page.panel }), made("text", { ...words, x: EDGE, y: 19, "font-size": 13, "font-weight": 600 }, page.title), inner);
  const anchors = { left: "start", center: "middle", right: "end" };
  for (const { x, y, text, align, colour, halo } of said.words ?? []) {
    whole.append(made("text", { x, y: HEAD + y, "text-anchor": anchors[align], "dominant-baseline": "middle", fill: colour, stroke: halo, "stroke-width": 3, "stroke-linejoin": "round", "paint-order": "stroke", "font-family": "system-ui, sans-serif", "font-size": 11 }, text));
  }
  for (const { x, y, name, colour, dash } of page.items) {
    if (colour) whole.append(made("path", { d: `M${x} ${y - 4}h${SAMPLE}`, stroke: colour, "stroke-width": 2.5, "stroke-dasharray": dash.join(" ") || "none" }));
    whole.append(made("text", { ...words, x: colour ? x + SAMPLE + 6 : x, y, "font-size": 12 }, name));
  }
  return new Blob([new XMLSerializer().serializeToString(whole)], { type: "image/svg+xml" });
}
