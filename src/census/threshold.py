"""Stage `threshold@<model>`: the score from which a person is flagged, chosen on valid."""

from __future__ import annotations

import sys

from census.files import SCORE_DIGITS, read_params, read_table, write_json
from census.measures import at_threshold, precision_recall, threshold_at_precision


def main(model_name: str) -> None:
    """Write the lowest threshold that keeps the wanted precision on valid; null if none does."""
    table = read_table(f"predictions/{model_name}/valid.parquet", ["label", "score"])
    label, score = table["label"].to_numpy(), table["score"].to_numpy()
    wanted = read_params("operating_point")["precision"]
    threshold = threshold_at_precision(precision_recall(label, score), wanted)
    chosen = {"threshold": threshold, "valid": at_threshold(label, score, threshold)}
    write_json(chosen, f"models/{model_name}.threshold.json", SCORE_DIGITS)


if __name__ == "__main__":
    main(sys.argv[1])
