/** Files that a page hands to its reader. */

import { fetched } from "./api.js";
import { h } from "./dom.js";

const KEPT_MS = 60_000;

/** Hand over *blob* under a name. */
export function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** Fetch first: an error is told in its place, where a plain link would leave the page or end in silence. */
export async function saveFrom(url, name) {
  const answer = await fetched(url);
  const given = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
  saveBlob(await answer.blob(), given ?? name);
}
