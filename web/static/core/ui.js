/** What pages are made of: popovers, menus, dialogs, toasts. All close on Escape and give focus back. */

import { fill, h, icon } from "./dom.js";

/** The popover that each anchor has open. @type {WeakMap<HTMLElement, HTMLElement>} */
const opened = new WeakMap();

/**
 * Content beside an anchor; a click elsewhere or Escape closes it. A second call for the same anchor closes it too.
 * @param {HTMLElement} anchor
 * @param {Node | Node[]} content
 * @param {{label: string, onclose?: () => void, class?: string, align?: "start" | "end"}} options
 * @returns {{close: () => void, el: HTMLElement} | null}
 */
export function popover(anchor, content, { label, onclose, class: kind = "", align = "start" }) {
  if (opened.has(anchor)) return null;
  const el = h("div", { class: `popover ${kind}`, popover: "auto", role: "dialog", "aria-label": label }, content);
  // All that is outside of an open dialog is dead to mouse and keys.
  (anchor.closest("dialog") ?? document.body).append(el);
  opened.set(anchor, el);
  const forget = () => opened.get(anchor) === el && opened.delete(anchor);
  anchor.setAttribute("aria-expanded", "true");
  el.showPopover();
  place(el, anchor.getBoundingClientRect(), align);
  el.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    const within = el.contains(document.activeElement) || document.activeElement === document.body;
    el.remove();
    anchor.setAttribute("aria-expanded", "false");
    // The click that closes it may be on the anchor itself, which must not open it again.
    setTimeout(forget, 50);
    if (within) anchor.focus({ preventScroll: true });
    onclose?.();
  });
  const first = el.querySelector("[autofocus]") ?? el.querySelector("input, button, select, [tabindex='0']");
  /** @type {HTMLElement | null} */ (first)?.focus({ preventScroll: true });
  const close = () => {
    forget();
    if (el.isConnected) el.hidePopover();
  };
  return { el, close };
}

function place(el, at, align) {
  const box = el.getBoundingClientRect();
  const left = align === "end" ? at.right - box.width : at.left;
  el.style.left = `${Math.max(8, Math.min(left, innerWidth - box.width - 8))}px`;
  const below = at.bottom + 4;
  const fits = below + box.height <= innerHeight - 8;
  el.style.top = `${fits ? below : Math.max(8, Math.min(at.top - box.height - 4, innerHeight - box.height - 8))}px`;
}

/**
 * A menu at an anchor. Items: {label, icon?, run, checked?, disabled?, danger?} or "-" for a line; one with `href` is a link
 * to a tab of its own, and has no use for `run`.
 * @param {HTMLElement} anchor @param {string} label
 */
export function menu(anchor, label, items, align = "end") {
  const rows = items.filter(Boolean).map((item) => {
    if (item === "-") return h("hr", {});
    const inside = [h("span", { class: "mark" }, item.checked ? icon("check") : item.icon ? icon(item.icon) : null), item.label];
    if (item.href) return h("a", { class: "item", href: item.href, target: "_blank", rel: "noopener", role: "menuitem", tabindex: "-1", on: { click: () => shown?.close() } }, inside);
    return h(
      "button",
      {
        type: "button", class: item.danger ? "item danger" : "item", disabled: item.disabled, tabindex: "-1",
        role: item.checked === undefined ? "menuitem" : "menuitemcheckbox", "aria-checked": item.checked === undefined ? null : String(item.checked),
        on: { click: () => { shown?.close(); item.run(); } },
      },
      inside,
    );
  });
  const box = h("div", { role: "menu", "aria-label": label, class: "menu" }, rows);
  const shown = popover(anchor, box, { label, align });
  const enabled = () => /** @type {HTMLElement[]} */ ([...box.querySelectorAll("button:not(:disabled), a")]);
  enabled()[0]?.focus();
  box.addEventListener("keydown", (event) => {
    const all = enabled();
    const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[(to + all.length) % all.length]?.focus();
  });
  return shown;
}

/**
 * A question in the middle of the page. `actions`: [{label, danger?, primary?, run}]; `run` may return a promise,
 * and the dialog stays with the error where it fails, or where it returns false.
 */
export function dialog(title, body, actions = [], { wide = false } = {}) {
  const wrong = h("p", { class: "wrong", role: "alert" });
  const el = /** @type {HTMLDialogElement} */ (h("dialog", { class: wide ? "wide" : "", "aria-label": title }));
  const close = () => el.close();
  const buttons = actions.map((action) =>
    h("button", {
      type: "button", class: action.danger ? "button danger" : action.primary ? "button primary" : "button",
      on: {
        click: async (event) => {
          const pressed = event.currentTarget;
          fill(wrong);
          pressed.disabled = true;
          try {
            if ((await action.run()) !== false) close();
          } catch (error) {
            fill(wrong, tell(error));
          } finally {
            pressed.disabled = false;
            if (el.isConnected && !el.contains(document.activeElement)) pressed.focus();
          }
        },
      },
    }, action.label));
  fill(
    el,
    h("header", null, h("h2", null, title), h("button", { type: "button", class: "button bare", "aria-label": "Close", on: { click: close } }, icon("close"))),
    h("div", { class: "body" }, body), wrong,
    actions.length ? h("footer", null, h("button", { type: "button", class: "button", on: { click: close } }, "Cancel"), buttons) : null,
  );
  document.body.append(el);
  el.addEventListener("close", () => el.remove());
  el.addEventListener("click", (event) => { if (event.target === el) close(); });
  el.showModal();
  return { el, close };
}

/** Words for a moment, at the foot of the page. @param {string} text @param {{action?: {label: string, run: () => void}, bad?: boolean}} [options] */
export function toast(text, { action, bad = false } = {}) {
  let area = document.getElementById("toasts");
  if (!area) {
    area = h("div", { id: "toasts", popover: "manual", role: "status", "aria-live": "polite" });
    document.body.append(area);
  }
  const gone = () => {
    el.remove();
    if (!area.children.length) area.hidePopover();
  };
  const el = h("div", { class: bad ? "toast bad" : "toast" }, text, action && h("button", { type: "button", class: "button", on: { click: () => { gone(); action.run(); } } }, action.label));
  area.append(el);
  // Above what is open now: a dialog would cover what came to the top before it.
  if (area.matches(":popover-open")) area.hidePopover();
  area.showPopover();
  setTimeout(gone, bad || action ? 8000 : 4000);
}

/** What an error says, and what to do. @param {any} error */
export function tell(error) {
  const message = error?.message ?? String(error);
  return error?.hint ? `${message}. ${error.hint}` : message;
}

/** Put a text on the clipboard and say so. */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    dialog(`${what}`, h("textarea", { readonly: true, rows: 8, class: "code", "aria-label": what, value: text }));
  }
}

/** A place that says why it is empty and what to do. */
export function empty(message, ...actions) {
  return h("div", { class: "empty" }, h("p", null, message), actions);
}

/** An error in its place, with a new try. */
export function failed(error, retry) {
  return h("div", { class: "failed", role: "alert" }, h("p", null, tell(error)), retry && h("button", { type: "button", class: "button", on: { click: retry } }, "Try again"));
}
