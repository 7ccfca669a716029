/** What a browser remembers for its reader; where it must not, the page alone does. */

const own = new Map();

/** @param {string} key @returns {string | null} */
export function recall(key) {
  try {
    return own.get(key) ?? localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
  own.set(key, value);
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage may be forbidden or full.
  }
}
