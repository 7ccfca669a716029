/** The sources page. */

import { shell } from "../core/shell.js";

shell();
