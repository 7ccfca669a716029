/** A run's colour: the same everywhere, told apart by people who see colours differently. */

/** Contrast of at least 3 on both themes; the smallest distance for the colour-blind is 0.05 in OKLab. */
export const PALETTE = ["#346bbb", "#f65405", "#2fa59b", "#b928a0", "#858e50", "#9484fd", "#c2301c", "#6f88c3", "#5c7051", "#e96b85", "#7364fb", "#af5c85"];

/** Lines of one colour are told apart by these, in the order of streams or tags. */
export const DASHES = [[], [6, 3], [2, 3], [9, 3, 2, 3], [12, 4]];

/** The colour of a run: what people gave it, else by the order in which runs were found. */
export function colourOf(runId, own = "") {
  return /^#[0-9a-f]{6}$/i.test(own) ? own : PALETTE[Number(runId) % PALETTE.length];
}

/** A text's colour: groups have no number of their own. */
export function colourOfText(text) {
  let hash = 2166136261;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 16777619);
  return PALETTE[(hash >>> 0) % PALETTE.length];
}

/** Different colours for things that are seen together, as many as there are. @param {string[]} keys */
export function distinct(keys) {
  return Object.fromEntries(keys.map((key, i) => [key, PALETTE[i % PALETTE.length]]));
}
