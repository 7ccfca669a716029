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

/**
 * 1 where higher is better, -1 where lower is, 0 where the name does not tell.
 * @param {string} tag
 * @returns {1 | -1 | 0}
 */
export function direction(tag) {
  const leaf = tag.slice(tag.lastIndexOf("/") + 1);
  const own = tokens(leaf);
  if (own.some((token) => NEITHER.has(token))) return 0;
  if (/(^|[^a-z])(per_s|per_sec|per_second|\/s)$/i.test(leaf) || /_per_(s|sec|second)$/i.test(leaf)) return 1;
  for (const token of own.reverse()) {
    const bare = token.replace(/\d+$/, "");
    for (const word of [token, bare]) {
      if (LOWER.has(word)) return -1;
      if (HIGHER.has(word)) return 1;
    }
  }
  return 0;
}
