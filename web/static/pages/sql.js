/** The sql page. */

import { shell } from "../core/shell.js";

shell();
