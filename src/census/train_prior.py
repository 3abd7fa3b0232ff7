"""Stage `train_prior`: the trivial baseline, the training share of positives for everybody."""

from __future__ import annotations

from census.model_file import save_model
from census.training import read_features


def main() -> None:
    """Fit the baseline on train."""
    from sklearn.dummy import DummyClassifier

    x, y = read_features("train")
    save_model(DummyClassifier(strategy="prior").fit(x, y), "models/prior.skops")


if __name__ == "__main__":
    main()
