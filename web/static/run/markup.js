/** The only place where markup of the server becomes elements. */

/**
 * Put HTML that the server has cleaned into an element: parsed as a document of its own, in which nothing
 * runs or loads, and moved from there. What the server's cleaning may have let through still meets the
 * page's Content-Security-Policy.
 * @param {HTMLElement} el @param {string} html the `html` of `/api/v1/texts` or `/api/v1/markdown`
 */
export function putCleanedHtml(el, html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const table of parsed.querySelectorAll("table")) table.classList.add("plain");
  el.replaceChildren(...parsed.body.childNodes);
}

/** Mark every place of some words in an element's text; returns how many there are. @param {HTMLElement} el @param {string} words */
export function mark(el, words) {
  const low = words.toLowerCase();
  if (!low) return 0;
  let count = 0;
  const walker = document.createTreeWalker(el, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) found.push(/** @type {Text} */ (node));
  for (let node of found) {
    for (let at = node.data.toLowerCase().indexOf(low); at >= 0; at = node.data.toLowerCase().indexOf(low)) {
      const hit = node.splitText(at);
      const rest = hit.splitText(Math.min(words.length, hit.data.length));
      const marked = document.createElement("mark");
      hit.replaceWith(marked);
      marked.append(hit);
      count += 1;
      node = rest;
    }
  }
  return count;
}
