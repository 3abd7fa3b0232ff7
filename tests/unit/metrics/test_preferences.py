"""`mlx.yaml`: which direction of a metric is good."""

from pathlib import Path

import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.metrics.preferences import Preference, load_preferences, preference_of


def _load(folder: Path, text: str) -> dict[str, Preference]:
    (folder / "mlx.yaml").write_text(text)
    return load_preferences(str(folder))


def test_directions_and_units(tmp_path: Path) -> None:
    text = (
        "metrics:\n  accuracy: {better: higher}\n  time: {better: lower, unit: s}\n  n: {unit: 7}\n"
    )
    assert _load(tmp_path, text) == {
        "accuracy": Preference("higher"), "time": Preference("lower", "s"),
        "n": Preference(None, "7")
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing\n", "metrics:\n", "runs: {}\n", "metrics: {}\n"])
def test_nothing_is_preferred(text: str, tmp_path: Path) -> None:
    assert _load(tmp_path, text) == {}


def test_without_the_file(tmp_path: Path) -> None:
    assert load_preferences(str(tmp_path)) == {}


@pytest.mark.parametrize(("text", "where", "words"), [
    ("- a\n", "mlx.yaml", "not a mapping"),
    ("metrics: [a]\n", "mlx.yaml:1", "`metrics`"),
    ("metrics:\n  a: higher\n", "mlx.yaml:2", "`metrics.a` is not a mapping"),
    ("metrics:\n  ok: {better: lower}\n  a: {better: more}\n", "mlx.yaml:3",
     "`metrics.a.better` is neither higher nor lower"),
    ("other: 1\n", "mlx.yaml:1", "unknown key 'other'"),
    ("metrics:\n  a: {beter: higher}\n", "mlx.yaml:2", "'beter'"),
    ("metrics: {a: [\n", "mlx.yaml:", ""),
])  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(
    text: str, where: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProjectError) as caught:
        _load(tmp_path, text)
    assert (caught.value.where or "").startswith(where)
    assert words in caught.value.message
    assert caught.value.hint


KNOWN = {"loss": Preference("lower"), "valid.loss": Preference("higher"), "a": Preference("higher")}


@pytest.mark.parametrize(("name", "better"), [
    ("loss", "lower"), ("train.loss", "lower"), ("x.y.loss", "lower"), ("valid.loss", "higher"),
    ("loss.value", None), ("losses", None), ("", None), ("b.a", "higher"),
])  # fmt: skip
def test_a_nested_metric_has_the_preference_of_its_last_name(name: str, better: str | None) -> None:
    assert preference_of(name, KNOWN).better == better
