/** Pages that are only read: the bar and the keys. */

import { shell } from "../core/shell.js";

shell();
