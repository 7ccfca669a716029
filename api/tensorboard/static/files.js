/** What the pages of files beside the logs share: elements, sizes, looks, and fetching with a way out. */

// What a shell takes as it stands.
const SAFE = /^[A-Za-z0-9_@%+=:,./-]+$/;
const STYLE = `
:root { color-scheme: light; --ink: #212121; --soft: #616161; --line: #e0e0e0; --ground: #fff; --head: #f5f5f5; --accent: #b93c00; }
:root.dark { color-scheme: dark; --ink: #f5f5f5; --soft: #b8b8b8; --line: #4d4d4d; --ground: #303030; --head: #3a3a3a; --accent: #ffab6b; }
html, body { margin: 0; height: 100%; }
body { display: flex; flex-direction: column; background: var(--ground); color: var(--ink); font: 14px/1.5 Roboto, system-ui, sans-serif; }
main { flex: 1; overflow: auto; padding: 20px 24px 40px; }
h1 { font-size: 20px; font-weight: 500; margin: 0 0 8px; }
p { max-width: 76ch; margin: 0 0 14px; }
.soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; }
.scroll { overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.path { overflow-wrap: anywhere; min-width: 22ch; }
td.short { white-space: nowrap; }
code { font: 13px/1.4 "Roboto Mono", ui-monospace, monospace; overflow-wrap: anywhere; }
a { color: var(--accent); }
button, input { font: inherit; color: inherit; background: var(--head); border: 1px solid var(--line); border-radius: 4px; padding: 3px 10px; }
input { background: var(--ground); width: 32ch; max-width: 100%; }
button { cursor: pointer; white-space: nowrap; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.row { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; margin: 0 0 12px; }
.bar { flex: none; max-height: 45%; overflow: auto; padding: 6px 16px; background: var(--head); border-bottom: 1px solid var(--line); }
.bar summary { cursor: pointer; }
.bar table { margin: 8px 0; }
iframe { flex: 1; border: 0; width: 100%; background: #fff; }
`;

/** An element with attributes and children; text is text, whatever it holds. */
export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Give the page its looks, light or dark as TensorBoard around it is. */
export function dress(title) {
  document.title = title;
  document.documentElement.lang = "en";
  document.head.append(h("style", null, STYLE));
  let outer = null;
  try {
    outer = window.parent.document.body;
  } catch {
    // Framed by someone else: light it stays.
  }
  if (!outer || window.parent === window) return;
  const follow = () => document.documentElement.classList.toggle("dark", outer.classList.contains("dark-mode"));
  follow();
  new MutationObserver(follow).observe(outer, { attributes: true, attributeFilter: ["class"] });
}

/** Fetch the files that an address lists and hand them to `show`; an error stands in their place. */
export async function load(address, title, show) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`the server answers ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
    show((await answer.json()).files);
  } catch (error) {
    document.body.replaceChildren(h("main", null, h("h1", null, title),
      h("p", { role: "alert" }, `The files cannot be listed: ${error.message}`),
      h("button", { type: "button", click: () => void load(address, title, show) }, "Try again")));
  }
}

/** A size in bytes for people. */
export function size(bytes) {
  if (typeof bytes !== "number") return "";
  for (const [unit, least] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (bytes >= least) return `${(bytes / least).toFixed(bytes < 10 * least ? 1 : 0)} ${unit}`;
  }
  return `${bytes} B`;
}

/** A moment, Unix seconds, in the time of who reads it; "" for none. */
export function moment(unix) {
  if (typeof unix !== "number") return "";
  const at = new Date(unix * 1000);
  const two = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** Where a file lies: of an address the scheme says how to get there, of a path the machine does. */
export function lies(file) {
  const path = file.place === "edge" ? file.uri.replace(/^edge:/, "") : file.uri;
  const machine = file.machine && (file.place === "local" || file.place === "edge") ? `${file.machine}: ` : "";
  return h("td", { class: "path" }, machine, h("code", null, path));
}

/** A table of rows, made of cells by `cells`. */
export function table(label, heads, rows, cells) {
  const head = h("thead", null, h("tr", null, heads.map((name) => h("th", { scope: "col", class: name === "Size" ? "number" : null }, name))));
  const body = h("tbody", null, rows.map((row) => h("tr", null, cells(row))));
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, h("table", null, head, body));
}

/** A button that copies what opens the log directory of a file where it lies; null where no path says it. */
export function command(file) {
  const path = file.logdir.replace(/^edge:/, "");
  if (!path.startsWith("/")) return null;
  const words = `tensorboard --logdir ${SAFE.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`}`;
  const button = h("button", { type: "button", title: words, "aria-label": `Copy: ${words}`, click: () => void copy(words, button) }, "Copy command");
  return button;
}

async function copy(words, button) {
  try {
    await navigator.clipboard.writeText(words);
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = "Copy command";
    }, 1500);
  } catch {
    // Without a secure connection there is no clipboard: who selects the text can copy it.
    button.replaceWith(h("code", { tabindex: "0" }, words));
  }
}
