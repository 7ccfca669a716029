/** Regular expressions over tags. */

/** A text as the regular expression that finds it. */
function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/** The search that finds one tag alone. */
export function alone(tag) {
  return `^${escaped(tag)}$`;
}

/** The tags that are searched for: a regular expression, or plain text where it is none. */
export function tagPattern(text) {
  if (!text) return null;
  try {
    return new RegExp(text, "i");
  } catch {
    return new RegExp(escaped(text), "i");
  }
}
