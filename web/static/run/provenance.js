/** Where a run came from: host, command, commit, copies, what lies beside its logs, how often it was started. */

import { get } from "../core/api.js";
import { button, fill, h } from "../core/dom.js";
import { bytes, number, plural, time } from "../core/format.js";
import { copy } from "../core/ui.js";

/** The provenance of a run. */
export class Provenance {
  /** @param {any} page */
  constructor(page) {
    this.page = page;
    this.facts = h("section");
    this.more = h("div", { class: "main" });
    this.copies = null;
  }

  update() {
    const { data } = this.page;
    fill(this.facts, this.#facts(data));
    fill(this.more, this.#artifacts(data.artifacts), this.#restarts(data));
    this.more.hidden = !this.more.children.length;
    if (this.copies === null) this.#find();
  }

  #facts({ run, files }) {
    const pids = [...new Set(files.map((one) => one.pid).filter((one) => one != null))];
    const fact = (name, value, title) => value != null && value !== "" && h("div", null, h("dt", null, name), h("dd", { title: title ?? null }, value));
    const taken = (value, what) => value && [h("code", null, value), button("copy", `Copy the ${what}`, () => copy(value, what))];
    return [h("h2", null, "Provenance"),
      h("div", { class: "sheet" },
        h("dl", { class: "facts" },
          run.command && h("div", { class: "wide" }, h("dt", null, "Command"), h("dd", null, taken(run.command, "command"))),
          fact("Commit", taken(run.git_commit, "commit")),
          fact("Job", taken(run.job_id, "number of the job")), fact("Job name", run.job_name), fact("Job state", run.job_state), fact("Job user", run.job_user), fact("Nodes", run.job_nodes),
          fact("Host", run.host), fact(pids.length > 1 ? "Processes" : "Process", pids.slice(0, 8).join(", ") + (pids.length > 8 ? " …" : "")),
          fact("Writer", run.writer), fact("Group", run.group_name), fact("End", run.end_reason),
          fact("First event", time(run.created_at)), fact("Last event", time(run.last_event_at)), fact("Found", time(run.discovered_at)),
          fact("Last step", run.last_step == null ? null : number(run.last_step)), fact("Points", number(run.points)), fact("Event files", `${number(run.files)} · ${bytes(run.size)}`),
          h("div", { class: "wide" }, h("dt", null, "Path"), h("dd", null, h("code", null, `${run.source}:${run.path}`))),
          this.copies?.length ? h("div", { class: "wide" }, h("dt", null, "Also found as"), this.copies.map((one) => h("dd", null, h("a", { href: `/run/${one.key}` }, `${one.source}:${one.path}`), one.first && h("span", { class: "muted" }, " the fullest copy")))) : null))];
  }

  async #find() {
    this.copies = [];
    const { run } = this.page.data;
    const whose = run.duplicate_of ?? run.run_id;
    try {
      const found = await get("runs", { filter: `run_id = ${whose} or duplicate_of = ${whose}`, columns: ["run_key", "source", "path"], duplicates: "true", archived: "true", limit: 50 });
      this.copies = found.rows.filter(([id]) => id !== run.run_id).map(([id, key, source, path]) => ({ key, source, path, first: id === run.duplicate_of }));
      if (this.copies.length) this.update();
    } catch {
      this.copies = null;
    }
  }

  #restarts({ run, files, series }) {
    const lost = series.reduce((sum, one) => sum + (one.superseded ?? 0), 0);
    const streams = new Set(files.map((one) => one.stream)).size;
    if ((run.attempts ?? 1) < 2 && files.length === streams && !lost) return null;
    return h("section", null, h("h2", null, "Starts"),
      h("p", { class: "muted" }, [plural(run.attempts ?? 1, "attempt"), plural(files.length, "event file"), lost ? `${plural(lost, "point")} taken back by restarts` : "no point taken back"].join(" · ")),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Starts" }, h("table", { class: "plain" },
        h("thead", null, h("tr", null, [["Started"], ["Until"], ["Host"], ["Process"], ["Stream"], ["Records", "number"]].map(([name, kind]) => h("th", { scope: "col", class: kind }, name)))),
        h("tbody", null, files.map((one) => h("tr", null, h("td", null, time(one.first_wall_time)), h("td", null, time(one.last_wall_time)), h("td", null, one.host), h("td", null, one.pid), h("td", null, one.stream), h("td", { class: "number" }, number(one.records))))))));
  }

  #artifacts(artifacts) {
    if (!artifacts.length) return null;
    const head = h("thead", null, h("tr", null, [["Kind"], ["Step", "number"], ["Name"], ["Size", "number"], ["Changed"]].map(([name, kind]) => h("th", { scope: "col", class: kind }, name))));
    return h("section", null, h("h2", null, "Beside the logs", h("span", { class: "muted" }, ` ${artifacts.length}`)),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Beside the logs" }, h("table", { class: "plain" }, head, h("tbody", null, artifacts.map((one) => h("tr", null,
        h("td", null, one.kind), h("td", { class: "number" }, one.step == null ? "" : number(one.step)),
        h("td", { title: one.path }, one.path.split("/").pop(), button("copy", `Copy the path of ${one.path.split("/").pop()}`, () => copy(one.path, "Path"))),
        h("td", { class: "number" }, bytes(one.size)), h("td", null, time(one.mtime))))))));
  }
}
