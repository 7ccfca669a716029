/** Lists of expressions in one text, as the server parts them: at commas outside quotes and brackets. */

/** @param {string} text @returns {string[]} */
export function split(text) {
  const parts = [];
  let depth = 0;
  let quote = "";
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quote) {
      if (c === quote) quote = "";
    } else if (c === "'" || c === '"') quote = c;
    else if ("([".includes(c)) depth += 1;
    else if (")]".includes(c)) depth -= 1;
    else if (c === "," && depth <= 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim()).filter(Boolean);
}

/** How the filter language writes a hyperparameter. */
export function hparam(name) {
  return name.split(".").every((part) => /^[\p{L}_][\p{L}\p{N}_]*$/u.test(part)) ? `hp.${name}` : `hp."${name.replaceAll('"', '""')}"`;
}

/** How it writes a metric: min("val/loss"). */
export function metric(stat, tag, stream) {
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`;
  return `${stat}(${quoted(tag)}${stream ? `, ${quoted(stream)}` : ""})`;
}

/** How it writes a text: 'it''s'. */
export function literal(text) {
  return `'${String(text).replaceAll("'", "''")}'`;
}
