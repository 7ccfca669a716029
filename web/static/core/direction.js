/** Whether a metric is better when it is higher or lower, as far as its name tells. */

const LOWER = new Set("loss losses err error errors perplexity ppl mae mse rmse mape smape nll bpc bpb wer cer eer fid kid ece brier latency regret lpips".split(" "));
const HIGHER = new Set(
  "acc accuracy top auc auroc auprc ap map precision recall iou miou dice jaccard bleu rouge meteor psnr ssim reward rewards return returns score scores throughput ndcg mrr mcc elo success wins r2 f1 chrf rew".split(" "),
);
// A loss scale or a learning rate is a setting that was logged, whatever else it is called.
const NEITHER = new Set("scale weight norm lr learning grad gradient std var memory count".split(" "));

function tokens(text) {
  const parts = text.split(/[^A-Za-z0-9]+/);
  return parts.flatMap((part) => [part, ...part.replace(/([a-z])([A-Z])/g, "$1 $2").split(" ")]).filter(Boolean).map((part) => part.toLowerCase());
}

/** What one part of a tag tells: null where it tells nothing, 0 where it is a setting. */
function told(part) {
  const words = tokens(part).reverse();
  if (words.some((word) => NEITHER.has(word))) return 0;
  if (/(^|[^a-z])per_(s|sec|second)$/i.test(part)) return 1;
  for (const word of words.flatMap((one) => [one, one.replace(/\d+$/, "")])) {
    if (LOWER.has(word)) return -1;
    if (HIGHER.has(word)) return 1;
  }
  return null;
}

/**
 * 1 where higher is better, -1 where lower is, 0 where the name does not tell. The last part of a tag says most:
 * `loss/train` is a loss, `loss/lr` none.
 * @param {string} tag
 * @returns {1 | -1 | 0}
 */
export function direction(tag) {
  for (const part of tag.split("/").reverse()) {
    const found = told(part);
    if (found !== null) return found;
  }
  return 0;
}
