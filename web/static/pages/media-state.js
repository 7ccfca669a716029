/** What the media page's URL says. */

import { paneSchema } from "../core/panes.js";
import { runSchema } from "./workspace-state.js";

export const schema = {
  ...runSchema,
  ...paneSchema(420),
};
