"""What training adds to scikit-learn's estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_info

from census import train_boosting, train_logistic
from census.training import one_thread

X = pd.DataFrame({"number": np.linspace(-1, 1, 400), "level": np.arange(400) % 3})
Y = ((X["number"] + 0.3 * (X["level"] == 1)) > 0.1).to_numpy(np.int8)


def test_weights_are_rounded_and_still_the_model() -> None:
    model = train_logistic.build(numeric=["number"], categorical=["level"], c=1.0, max_iter=100)
    model.fit(X, Y)
    before = model.predict_proba(X)
    train_logistic.round_weights(model)
    weights = np.append(model[-1].coef_, model[-1].intercept_)
    assert (weights == weights.round(6)).all()
    assert model.predict_proba(X) == pytest.approx(before, abs=1e-5)


def test_learning_curve_starts_at_the_prior_and_falls() -> None:
    model = train_boosting.build(categorical=["level"], max_iter=15, random_state=1)
    curve = train_boosting.learning_curve(model.fit(X, Y, X_val=X, y_val=Y))
    share = Y.mean()
    prior = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert curve["trees"].tolist() == list(range(16))
    assert curve["train"][0] == pytest.approx(prior)
    assert (curve["train"].diff().dropna() < 0).all()
    assert curve["valid"].to_numpy() == pytest.approx(curve["train"].to_numpy())


def test_training_uses_one_thread() -> None:
    with one_thread():
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
