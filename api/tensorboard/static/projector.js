/** The Projector tab: TensorBoard's own over files in reach, and where those lie that are not. */

import { command, dress, h, lies, load, table } from "./files.js";

/** Draw the page; TensorBoard calls it. */
export function render() {
  dress("Projector");
  void load("where", "Projector", show);
}

function show(files) {
  const missing = files.filter((file) => file.why);
  if (missing.length === files.length) {
    document.body.replaceChildren(none(files));
    return;
  }
  const bar = missing.length ? [h("details", { class: "bar" },
    h("summary", null, `${missing.length} of ${files.length} projector configs cannot be shown here`), where(missing))] : [];
  document.body.replaceChildren(...bar, h("iframe", { src: "projector_binary.html", title: "Embedding projector" }));
}

function none(files) {
  const words = files.length
    ? "The projector draws from files beside the logs, which are not copied. None of them can be shown here; TensorBoard shows them where they lie."
    : "No run of this selection has a projector_config.pbtxt beside its logs; PyTorch's add_embedding writes one.";
  return h("main", null, h("h1", null, "Projector"), h("p", null, words), files.length ? where(files) : null);
}

function where(files) {
  return table("Projector configs", ["Run", "Config", "Why it is not shown", "Open"], files,
    (file) => [h("td", { class: "path" }, file.run), lies(file), h("td", null, file.why), h("td", null, command(file))]);
}
