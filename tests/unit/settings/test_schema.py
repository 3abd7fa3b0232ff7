"""The JSON Schema for editors is that of the model, and this repository's mlx.yaml fits it."""

from pathlib import Path

import jsonschema
import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import load
from mlxkit.settings import load as loading
from mlxkit.settings.schema import main, schema_text

ROOT = Path(__file__).parents[3]
FILE = ROOT / "schemas" / "mlx.schema.json"


def test_the_committed_schema_is_that_of_the_model(tmp_path: Path) -> None:
    main(str(tmp_path / "schema.json"))
    assert (tmp_path / "schema.json").read_text() == schema_text()
    assert FILE.read_text() == schema_text(), "run: make schema"


def test_this_repository_s_file_fits() -> None:
    text = (ROOT / "mlx.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=schemas/mlx.schema.json\n")
    validator = jsonschema.Draft202012Validator(load(schema_text()))
    validator.check_schema(validator.schema)
    assert list(validator.iter_errors(load(text))) == []
    assert [one.message for one in validator.iter_errors({"gates": {"t": [{"x": 1}]}})]


NOTHING = (
    "metrics:\nruns:\ncost:\nverify: {tolerance: }\nleaderboard: {models: }\ngates:\nmodels:\n"
)
ACCEPTED = [
    NOTHING,
    "metrics: {a: {unit: 3}}",
    "runs: {max_file_size: 1.5}",
    "runs: {max_file_size: ' 10 MiB '}",
    "gates: {t: [{cost: {metric: a, against: m, more: ' 40 %', for: 1}}]}",
    "gates: {t: [{data: {path: a, rows: {max: 5, min: }, label: }}]}",
    "gates: {t: [{size: {path: a, max: 1, when: {paths: [a], against: m}}}]}",
]
REFUSED = [
    "metrics: {a: {unit: [3]}}",
    "models: {m: {owner: ' '}}",
    "gates: {t: [{threshold: {metric: 'a:', min: 1}}]}",
    "gates: {t: [{threshold: {metric: a, min: }}]}",
    "gates: {t: [{seeds: {metric: a, min: 1}}]}",
    "gates: {t: [{noise: {metric: f1, predictions: p}}]}",
    "gates: {t: [{data: {path: a, rows: {}}}]}",
    "gates: {t: [{size: {path: a, max: 1, when: {}}}]}",
    "gates: {t: [{cost: {metric: a, against: m, more: 1e2%, for: 1}}]}",
]


@pytest.mark.parametrize("text", ACCEPTED + REFUSED)
def test_an_editor_says_what_mlx_says(text: str, tmp_path: Path) -> None:
    fits = jsonschema.Draft202012Validator(load(schema_text())).is_valid(load(text))
    assert fits == (text in ACCEPTED)
    try:
        loading.settings_of(text.encode(), "mlx.yaml", str(tmp_path))
    except ProjectError:
        fits = False
    else:
        fits = True
    assert fits == (text in ACCEPTED)


@pytest.mark.parametrize("name", ["base", "leaderboard", "model", "rules"])
def test_what_is_remembered_depends_on_the_model_s_files(name: str) -> None:
    assert f"{name}.py" in loading._MODEL
