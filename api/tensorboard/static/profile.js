/** The Profile tab: captures of the profiler, where they lie, and those in reach to download. */

import { command, dress, h, lies, load, moment, size, table } from "./files.js";

const MOST = 500;

/** Draw the page; TensorBoard calls it. */
export function render() {
  dress("Profile");
  void load("captures", "Profile", (files) => new Page(files).draw());
}

class Page {
  constructor(files) {
    this.files = files;
    this.words = "";
    this.all = false;
    this.list = h("div");
    this.count = h("span", { class: "soft", role: "status" });
  }

  draw() {
    const words = this.files.length
      ? "Captures of the profiler beside the logs; they are not copied. TensorBoard draws them where they lie, with the package tensorboard-plugin-profile; a trace.json.gz also opens in Perfetto."
      : "No run of this selection has a capture below plugins/profile beside its logs.";
    const filter = h("input", { type: "search", "aria-label": "Filter captures", placeholder: "Filter by run, host or file", input: (event) => {
      this.words = event.target.value.toLowerCase();
      this.rows();
    } });
    document.body.replaceChildren(h("main", null, h("h1", null, "Profile"), h("p", null, words),
      this.files.length > 1 ? h("div", { class: "row" }, filter, this.count) : null, this.list));
    this.rows();
  }

  rows() {
    const words = this.words.split(/\s+/).filter(Boolean);
    const found = this.files.filter((file) => {
      const text = `${file.run} ${file.host} ${file.time} ${file.uri} ${file.machine}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const shown = this.all ? found : found.slice(0, MOST);
    this.count.textContent = `${found.length.toLocaleString("en")} file${found.length === 1 ? "" : "s"}`;
    const heads = ["Run", "Time", "Host", "File", "Size", "Where it lies", "Open"];
    const more = found.length > shown.length && h("p", null, h("button", { type: "button", click: () => {
      this.all = true;
      this.rows();
    } }, `Show all ${found.length.toLocaleString("en")}`));
    this.list.replaceChildren(...[found.length && table("Captures", heads, shown, cells), more,
      !found.length && this.files.length && h("p", null, "No file has these words.")].filter(Boolean));
  }
}

function cells(file) {
  return [
    h("td", { class: "path" }, file.run),
    h("td", { class: "short" }, time(file)),
    h("td", null, file.host),
    h("td", { class: "path" }, file.url ? h("a", { href: file.url, download: file.file }, file.file) : file.file),
    h("td", { class: "number" }, size(file.size)),
    lies(file),
    h("td", null, file.why ? h("div", null, file.why) : null, command(file)),
  ];
}

function time(file) {
  const found = /^(\d{4})_(\d\d)_(\d\d)_(\d\d)_(\d\d)_(\d\d)/.exec(file.time);
  if (found) return `${found[1]}-${found[2]}-${found[3]} ${found[4]}:${found[5]}:${found[6]}`;
  return file.time || moment(file.mtime);
}
