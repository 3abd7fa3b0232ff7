"""Model files: the same bytes for the same model, and nothing hostile is ever loaded."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from skops.io.exceptions import UntrustedTypesFoundException

from census import train_boosting, train_logistic
from census.model_file import canonical, load_model, save_model

if TYPE_CHECKING:
    from pathlib import Path

CATEGORICAL = ["level", "other_level"]


def table() -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """300 rows, one number and two coded columns, and a label that depends on all three."""
    rng = np.random.default_rng(3)
    x = pd.DataFrame(
        {
            "number": rng.normal(size=300),
            "level": rng.integers(0, 9, 300).astype(np.int16),
            "other_level": rng.integers(0, 4, 300).astype(np.int16),
        }
    )
    return x, ((x["number"] + (x["level"] % 3) - x["other_level"]) > 0).to_numpy(np.int8)


def fitted(name: str) -> Any:
    x, y = table()
    if name == "prior":
        return DummyClassifier(strategy="prior").fit(x, y)
    if name == "logistic":
        model = train_logistic.build(
            numeric=["number"], categorical=CATEGORICAL, c=1.0, max_iter=200
        )
        return model.fit(x, y)
    boosting = train_boosting.build(
        categorical=CATEGORICAL, max_iter=20, min_samples_leaf=5, random_state=1
    )
    return boosting.fit(x, y, X_val=x, y_val=y)


@pytest.mark.parametrize("name", ["prior", "logistic", "boosting"])
def test_same_model_same_bytes_and_it_loads(name: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.skops", tmp_path / "second.skops"
    model = fitted(name)
    save_model(model, str(first))
    # Trained anew: other object ids. Loaded and saved: other objects altogether.
    save_model(fitted(name), str(second))
    assert first.read_bytes() == second.read_bytes()
    loaded = load_model(str(first))
    save_model(loaded, str(second))
    assert first.read_bytes() == second.read_bytes()
    x, _ = table()
    assert (loaded.predict_proba(x) == model.predict_proba(x)).all()


def test_skops_alone_would_not_give_the_same_bytes() -> None:
    model = fitted("logistic")
    again = skops.io.loads(skops.io.dumps(model))
    assert skops.io.dumps(model) != skops.io.dumps(again)


def test_bytes_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    save_model(fitted("logistic"), str(tmp_path / "here.skops"))
    code = (
        "import test_model_file as t, census.model_file as m;"
        "m.save_model(t.fitted('logistic'), 'there.skops')"
    )
    path = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    env = {**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, check=True)
    assert (tmp_path / "here.skops").read_bytes() == (tmp_path / "there.skops").read_bytes()


class Surprise:
    """A type that no model needs."""


HOSTILE = {
    "a call of the shell": partial(os.system, "touch harmed"),
    "a function": os.system,
    "a type of one's own": Surprise(),
    "an allowed partial of a function that is not": partial(np.savetxt, "harmed", [1]),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_type_is_refused(
    hostile: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    model = fitted("prior")
    model.extra_ = hostile
    save_model(model, "model.skops")
    with pytest.raises(UntrustedTypesFoundException):
        load_model("model.skops")
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(fitted("prior")))
    with pytest.raises(Exception, match="zip"):
        load_model(str(path))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("left", 10**6),
        ("right", 10**6),
        ("left", 0),
        ("feature_idx", 10**6),
        ("feature_idx", -1),
    ],
)
def test_a_tree_that_points_outside_itself_is_refused(
    field: str, value: int, tmp_path: Path
) -> None:
    model = fitted("boosting")
    model._predictors[0][0].nodes[field][0] = value
    save_model(model, str(tmp_path / "model.skops"))
    with pytest.raises(ValueError, match="outside itself"):
        load_model(str(tmp_path / "model.skops"))


def test_a_level_set_that_is_not_there_is_refused(tmp_path: Path) -> None:
    model = fitted("boosting")
    by_level = [
        (tree, place)
        for (tree,) in model._predictors
        for place in np.flatnonzero(tree.nodes["is_categorical"])
    ]
    tree, place = by_level[0]
    tree.nodes["bitset_idx"][place] = 10**6
    save_model(model, str(tmp_path / "model.skops"))
    with pytest.raises(ValueError, match="outside itself"):
        load_model(str(tmp_path / "model.skops"))


def test_a_level_set_on_a_plain_number_is_refused(tmp_path: Path) -> None:
    model = fitted("boosting")
    model._bin_mapper.is_categorical_[:] = 0
    save_model(model, str(tmp_path / "model.skops"))
    with pytest.raises(ValueError, match="outside itself"):
        load_model(str(tmp_path / "model.skops"))


def test_an_entry_that_the_schema_does_not_mention_is_not_kept() -> None:
    content = io.BytesIO(skops.io.dumps(fitted("prior")))
    with ZipFile(content, "a") as archive:
        archive.writestr("stowaway.npy", b"")
    with pytest.raises(ValueError, match="does not mention"):
        canonical(content.getvalue())
