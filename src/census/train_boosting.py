"""Stage `train_boosting`: gradient-boosted trees that split on level sets directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census.files import read_params, write_csv
from census.model_file import save_model
from census.training import one_thread, read_features

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.ensemble import HistGradientBoostingClassifier


def build(*, categorical: list[str], **params: float) -> HistGradientBoostingClassifier:
    """The untrained model; it stops when the loss on valid no longer falls."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        categorical_features=categorical, early_stopping=True, scoring="loss", **params
    )


def learning_curve(model: HistGradientBoostingClassifier) -> pd.DataFrame:
    """Log loss (nats) on train and valid after each tree (trees + 1, 3); tree 0 is the prior."""
    import pandas as pd

    return pd.DataFrame(
        {
            "trees": range(len(model.train_score_)),
            # scikit-learn keeps scores, for which more is better.
            "train": -model.train_score_,
            "valid": -model.validation_score_,
        }
    )


def main() -> None:
    """Fit the model on train, stop by valid, write the model and its learning curve."""
    categorical = read_params("features")["categorical"]
    model = build(categorical=categorical, **read_params("train")["boosting"])
    x, y = read_features("train")
    x_valid, y_valid = read_features("valid")
    with one_thread():
        model.fit(x, y, X_val=x_valid, y_val=y_valid)
    save_model(model, "models/boosting.skops")
    write_csv(learning_curve(model), "plots/boosting/learning.csv")


if __name__ == "__main__":
    main()
