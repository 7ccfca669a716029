/** The charts of this run. */

import { empty, failed } from "../core/ui.js";
import { fill } from "../core/dom.js";

/** @type {import("./tabs.js").Part} */
export default {
  id: "charts",
  label: "Charts",
  none: "This run logged no scalars, so there is nothing to draw.",
  about: (data) => data.series.some((one) => one.kind === "scalar"),
  make(el, page) {
    let grid = null;
    let points = page.data.run.points;
    const show = () => {
      grid?.setRuns([{ key: page.key, run_id: page.id, label: page.label, colour: page.colour }]);
      if (page.data.run.points === points) return;
      points = page.data.run.points;
      grid?.refresh();
    };
    // The modules of charts are asked for when somebody looks at charts.
    const start = async () => {
      fill(el, empty("Loading the charts…"));
      try {
        const { ChartGrid } = await import("../charts/grid.js");
        fill(el);
        grid = new ChartGrid(el, page.state, { scope: "run" });
        show();
      } catch (error) {
        fill(el, failed(error, start));
      }
    };
    start();
    return { update: show };
  },
};
