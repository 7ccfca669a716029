/** The page that asks for a token: somebody who is logged in already goes on. */

import { shell } from "../core/shell.js";

shell();

// A link from another site does not bring the session's cookie along, a request of this page does.
const answer = await fetch("/login/session", { headers: { Accept: "application/json" } });
if (answer.ok && (await answer.json()).in) {
  location.replace(document.querySelector("input[name=next]").value);
}
