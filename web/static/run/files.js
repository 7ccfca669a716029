/** The event files of a run: how far each is read, what was wrong in them, when they were last looked at. */

import { get } from "../core/api.js";
import { fill, h } from "../core/dom.js";
import { ago, bytes, number, plural, time } from "../core/format.js";
import { empty } from "../core/ui.js";

const MEANS = {
  ok: "read to its end",
  empty: "has no records yet",
  torn: "its last record is incomplete: it is read on when there is more",
  "nul tail": "ends in zeros, as a writer that was killed leaves them",
  held: "was replaced by something that does not continue it: what was read is kept",
  lost: "a part of it could not be read",
  "bad gzip": "is damaged where it is compressed",
  unreadable: "cannot be opened",
};

/** @type {import("./tabs.js").Part} */
export default {
  id: "files",
  label: "Files and problems",
  none: "",
  about: (data) => data.problems.length || true,
  make(el, page) {
    const box = h("div");
    const cycle = h("p", { class: "muted" });
    fill(el, cycle, box);
    return { update: () => { draw(box, page.data); age(cycle, page.data.run.source); } };
  },
};

async function age(el, source) {
  try {
    const { sources } = await get("sources");
    const one = sources.find((given) => given.source === source);
    if (one) fill(el, `The source ${source} was last looked at ${one.last_cycle_at ? `${ago(one.last_cycle_at)} (${time(one.last_cycle_at)})` : "never"}`, one.problems ? ` · ${plural(one.problems, "open problem")} in all its files` : "");
  } catch {
    fill(el);
  }
}

function table(label, columns, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "plain" },
    h("thead", null, h("tr", null, columns.map(([name, kind]) => h("th", { scope: "col", class: kind }, name)))),
    h("tbody", null, rows)));
}

function draw(box, { files, problems }) {
  const whole = files.reduce((sum, one) => sum + (one.size ?? 0), 0);
  const read = files.reduce((sum, one) => sum + (one.offset_read ?? 0), 0);
  fill(box,
    h("h2", null, "Event files", h("span", { class: "muted" }, ` ${files.length} · ${bytes(read)} of ${bytes(whole)} read`)),
    files.length ? table("Event files", [["File"], ["Stream"], ["Status"], ["Read", "number"], ["Size", "number"], ["Records", "number"], ["Points", "number"], ["First event"], ["Last event"], ["Host"], ["Process", "number"], ["Writer"]], files.map(file)) : empty("The lake has no event file of this run."),
    h("h2", null, "Problems", h("span", { class: "muted" }, ` ${problems.length}`)),
    problems.length ? table("Problems", [["Found"], ["Kind"], ["What was wrong, and what was done"], ["File"], ["Offset", "number"], ["Bytes", "number"]], problems.map(problem)) : empty("Every byte that was read was sound."));
}

function file(one) {
  const size = one.size ?? 0;
  const share = size ? Math.min(1, one.offset_read / size) : 1;
  const percent = share === 1 ? "100 %" : `${Math.min(99.9, share * 100).toFixed(1)} %`;
  const status = one.missing_since ? "gone" : one.status;
  return h("tr", null,
    h("th", { scope: "row", title: one.path }, one.path.split("/").pop()),
    h("td", null, one.stream),
    h("td", { title: one.missing_since ? `no longer in its source since ${time(one.missing_since)}; what was read is kept` : MEANS[one.status] ?? null }, h("span", { class: `state ${status === "ok" ? "running" : status === "gone" || status === "empty" || status === "torn" ? "stalled" : "failed"}` }, status)),
    h("td", { class: "number", title: `${number(one.offset_read)} of ${number(size)} bytes` }, h("meter", { min: "0", max: "1", value: String(share), "aria-label": "Part that is read" }), percent),
    h("td", { class: "number" }, bytes(size)), h("td", { class: "number" }, number(one.records)), h("td", { class: "number" }, number(one.points)),
    h("td", null, time(one.first_wall_time)), h("td", null, time(one.last_wall_time)),
    h("td", null, one.host), h("td", { class: "number" }, one.pid == null ? "" : String(one.pid)), h("td", null, one.writer));
}

function problem(one) {
  return h("tr", null, h("td", null, time(one.at)), h("td", null, one.kind), h("td", { class: "long" }, one.message),
    h("td", { title: one.path }, one.path.split("/").pop()), h("td", { class: "number" }, number(one.offset)), h("td", { class: "number" }, one.bytes ? number(one.bytes) : "unknown"));
}
