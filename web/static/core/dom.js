/** Elements made from data: text is always text, never markup. */

/**
 * An element with properties and children.
 * `class`, `style` (text), `dataset`, `on` ({event: handler}), aria-* and other attributes are understood;
 * null, false and undefined leave a property or child out.
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {...any} children
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  set(el, props ?? {});
  el.append(...nodes(children));
  return el;
}

/** Children as nodes: arrays are flattened, nothing is left out but null, undefined and booleans. */
function nodes(children) {
  return children.flat(Infinity).filter((one) => one != null && typeof one !== "boolean");
}

/** Set properties as `h` does. @param {Element} el @param {Record<string, any>} props */
export function set(el, props) {
  for (const [name, value] of Object.entries(props)) {
    if (name === "on") {
      for (const [event, handler] of Object.entries(value)) {
        if (handler) el.addEventListener(event, handler);
      }
    } else if (name === "dataset") {
      Object.assign(/** @type {HTMLElement} */ (el).dataset, value);
    } else if (["value", "checked", "disabled", "indeterminate", "selected", "hidden"].includes(name)) {
      el[name] = value ?? false;
    } else if (value == null || value === false) {
      el.removeAttribute(name);
    } else {
      el.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/** Put children in the place of those that are there. */
export function fill(el, ...children) {
  el.replaceChildren(...nodes(children));
  return el;
}

const SHAPES = {
  eye: "M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8zm7-2a2 2 0 100 4 2 2 0 000-4z",
  eyeoff: "M2 2l12 12M6.5 4a7 7 0 011.5-.2C12.500 3.800 15 8 15 8a13 13 0 01-2 2.400M4 5.300A12 12 0 001 8s2.500 4.200 7 4.200a7 7 0 002.800-.6",
  search: "M7 2.500a4.500 4.500 0 100 9 4.500 4.500 0 000-9zm3.300 7.800L14 14",
  close: "M3.500 3.500l9 9m0-9l-9 9",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  up: "M4 10l4-4 4 4",
  menu: "M8 3.200v.1M8 8v.1M8 12.700v.1",
  full: "M2.500 6V2.500H6m4 0h3.500V6m0 4v3.500H10m-4 0H2.500V10",
  pin: "M10 2l4 4-3 1-2.500 2.500-.5 3L4 8.500l3-.5L9 5.500zM5.500 10.500L2 14",
  columns: "M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10",
  group: "M2.500 3.500h6m-3 4.500h8m-8 4.500h8",
  sort: "M5 3v10M2.500 10.500L5 13l2.500-2.500M11 13V3m-2.500 2.500L11 3l2.500 2.500",
  tag: "M2.500 2.500H8l5.500 5.500-5.500 5.500L2.500 8zM5.500 5.500v.1",
  trash: "M3 4.500h10M6 4.500V3h4v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500M6.700 7v4m2.600-4v4",
  archive: "M2.500 3h11v3h-11zM3.500 6v7h9V6M6.500 8.500h3",
  edit: "M3 13l.7-3L11 2.700l2.300 2.300L6 12.300z",
  compare: "M5.500 2.500v11m5-11v11M2.500 5h6M7.500 11h6",
  board: "M2.500 2.500v11h11M5 10.500L7.500 7l2.300 2 3.700-5",
  share: "M6.500 9.500l3-3M7 4.500l1.300-1.300a3 3 0 014.500 4.500L11.500 9M9 11.500l-1.300 1.300a3 3 0 01-4.500-4.500L4.500 7",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  download: "M8 2.500v7.500m-3-3l3 3 3-3M3 13.500h10",
  sun: "M8 5.200a2.800 2.800 0 100 5.600 2.800 2.800 0 000-5.600zM8 1.500v1.300m0 10.400v1.300M1.500 8h1.300m10.400 0h1.300M3.400 3.400l.9.9m7.400 7.400l.9.9m0-9.200l-.9.9m-7.400 7.400l-.9.9",
  moon: "M13 9.500A5.500 5.500 0 016.500 3a5.500 5.500 0 106.500 6.500z",
  help: "M6 6a2 2 0 113 1.700c-.7.400-1 .8-1 1.600M8 11.700v.1M8 1.800a6.200 6.200 0 100 12.400A6.200 6.200 0 008 1.800z",
  plus: "M8 3v10M3 8h10",
  check: "M3 8.500l3.200 3.200L13 5",
  undo: "M3 6.500h6.500a3.500 3.500 0 010 7H6M3 6.500L6 3.500m-3 3l3 3",
  gear: "M8 5.800a2.200 2.200 0 100 4.400 2.200 2.200 0 000-4.400zM8 2v1.600m0 8.800V14M2 8h1.600m8.800 0H14M3.800 3.800l1.100 1.100m6.200 6.200l1.100 1.100m0-8.400l-1.100 1.100m-6.200 6.200l-1.100 1.100",
  reset: "M3 8a5 5 0 101.500-3.500M3 2.500v3h3",
  live: "M8 7a1 1 0 100 2 1 1 0 000-2zM5.200 10.800a4 4 0 010-5.600m5.600 0a4 4 0 010 5.600M3.200 12.800a6.800 6.800 0 010-9.600m9.600 0a6.800 6.800 0 010 9.600",
};

/** An icon of ours; it says nothing to a screen reader. @param {keyof typeof SHAPES} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(svg.namespaceURI, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon whose name is its label; `text` shows words beside it. */
export function button(name, label, onclick, props = {}) {
  const { text, ...rest } = props;
  const title = rest.title ?? label;
  return h(
    "button",
    { type: "button", class: text ? "button" : "button bare", title, "aria-label": text ? null : label, ...rest, on: { click: onclick } },
    name && icon(name),
    text,
  );
}

/** Call *run* once, at the next frame, however often it is asked to. */
export function onFrame(run) {
  let asked = 0;
  return (...args) => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => run(...args));
  };
}

/** Call *run* when *ms* have passed without another call. */
export function debounce(run, ms) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), ms);
  };
}
