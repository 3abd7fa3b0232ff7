"""A model declared in a dvc.yaml as text: all else stays as it was."""

from pathlib import Path

import pytest

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.registry.artifacts import declare

BEFORE = [
    "",
    "# top\nstages:\n  a: {cmd: x}  # keep\n",
    "stages:\n  a: {cmd: x}",
    "artifacts:\n  old:  # ours\n    path: o\n    type: model\n# after\nstages:\n  a: {cmd: x}\n",
    "artifacts:\n    old:\n        path: o\n\nstages: {}\n",
    "stages:\r\n  a: {cmd: x}\r\nartifacts:\r\n  old: {path: o}\r\n",
    "artifacts:\nstages: {}\n",
]


@pytest.mark.parametrize("text", BEFORE)
def test_one_more_artifact_and_nothing_else(tmp_path: Path, text: str) -> None:
    file = tmp_path / "dvc.yaml"
    file.write_bytes(text.encode())
    declare(str(tmp_path), "dvc.yaml", "sub:m", "models/a b: c#.bin")
    after = file.read_bytes().decode()
    before = yaml.load(text) or {}
    old = before.get("artifacts") or {}
    assert yaml.load(after)["artifacts"] == {
        **old, "m": {"path": "models/a b: c#.bin", "type": "model"}
    }  # fmt: skip
    for line in text.splitlines(keepends=True):
        assert line.rstrip() in after or line.rstrip() == "artifacts:"
    assert ("\r\n" in text) == ("\r\n" in after)


@pytest.mark.parametrize("text", ["artifacts: {old: {path: o}}\n", "{stages: {}}\n", "[1]\n"])
def test_a_form_that_is_not_understood_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "dvc.yaml"
    file.write_text(text)
    with pytest.raises(MlxError) as caught:
        declare(str(tmp_path), "dvc.yaml", "m", "a")
    assert "artifacts: {m: {path: a, type: model}}" in str(caught.value.hint)
    assert file.read_text() == text
