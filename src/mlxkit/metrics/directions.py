"""Which direction is good for metrics of the usual names, where `mlx.yaml` says nothing.

A name counts by its last part and the words in it: `val_log_loss`, `test.ROC-AUC`, `f1_macro`.
"""

import re
from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Errors and losses; of texts, ranking and information; of running.
LOWER: Final = _words("""
    loss logloss error errors err mse rmse rmsle msle mae mape smape mase medae mad
    deviance residual brier ece mce nll crossentropy hinge huber pinball
    perplexity ppl wer cer ter mer fid kid aic bic regret fpr fnr fdr eer hamming
    latency runtime duration cost divergence kl psi
""")
# Of classes; of numbers and images; of texts, ranking and clusters; of running.
HIGHER: Final = _words("""
    accuracy acc f1 fbeta f2 precision recall sensitivity specificity tpr tnr ppv npv
    auc auroc auprc aucpr roc kappa mcc gini lift
    r2 iou miou dice jaccard psnr ssim
    bleu rouge meteor chrf map mrr ndcg dcg silhouette likelihood
    throughput fps qps reward success
""")
PHRASES: Final = {
    ("cross", "entropy"): "lower",
    ("false", "positive"): "lower",
    ("false", "negative"): "lower",
    ("false", "positives"): "lower",
    ("false", "negatives"): "lower",
    ("true", "positive"): "higher",
    ("true", "negative"): "higher",
    ("explained", "variance"): "higher",
    ("hit", "rate"): "higher",
    ("win", "rate"): "higher",
}
"""Words that mean something together, in any order."""
NO_DIRECTION: Final = _words("""
    std stddev stdev var variance stderr sem ci interval low high lower upper
    threshold weight weights epoch step iteration seed best
""")
"""Words that make something else of a name: the spread of an accuracy has no direction."""

_WORD: Final = re.compile(r"[a-z]+[0-9]*|[0-9]+|[A-Z]+[0-9]*(?![a-z])|[A-Z][a-z]+[0-9]*")


def usual_direction(name: str) -> str | None:
    """Return `higher` or `lower` for a metric of a usual name, None for any other."""
    last = name.rsplit(".", 1)[-1]
    words = [one.lower() for one in _WORD.findall(last)]
    found = _by_words(frozenset([*words, last.lower()]))
    if found is not None and words[:1] in (["neg"], ["negative"], ["minus"]):
        return "lower" if found == "higher" else "higher"
    return found


def _by_words(words: frozenset[str]) -> str | None:
    for phrase, direction in PHRASES.items():
        if words.issuperset(phrase):
            return direction
    if words & NO_DIRECTION:
        return None
    if words & LOWER:
        return "lower"
    return "higher" if words & HIGHER else None
