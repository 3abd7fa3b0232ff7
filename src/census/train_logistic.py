"""Stage `train_logistic`: the linear baseline, on scaled numbers and one column per level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from census.files import read_params
from census.model_file import save_model
from census.training import one_thread, read_features

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

DIGITS = 6
"""Decimals kept in a weight (log odds)."""


def build(*, numeric: list[str], categorical: list[str], c: float, max_iter: int) -> Pipeline:
    """The untrained model; `c` is the inverse strength of its L2 penalty."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

    columns = ColumnTransformer(
        [
            # Least and greatest value are exact; a mean depends on the order of the sum.
            ("scale", MinMaxScaler(), numeric),
            ("levels", OneHotEncoder(handle_unknown="ignore"), categorical),
        ]
    )
    # Newton's method ends so close to the one optimum that rounding can hide the rest.
    solver = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-6, max_iter=max_iter)
    return make_pipeline(columns, solver)


def round_weights(model: Pipeline) -> None:
    """Round the fitted weights in place, to digits that no processor's last bits reach."""
    last = model[-1]
    last.coef_, last.intercept_ = last.coef_.round(DIGITS), last.intercept_.round(DIGITS)


def main() -> None:
    """Fit the model on train; end with exit code 1 when it does not converge."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    features, params = read_params("features"), read_params("train")["logistic"]
    model = build(
        numeric=features["numeric"] + features["money"],
        categorical=features["categorical"],
        c=params["c"],
        max_iter=params["max_iter"],
    )
    x, y = read_features("train")
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        model.fit(x, y)
    round_weights(model)
    save_model(model, "models/logistic.skops")


if __name__ == "__main__":
    main()
