"""Which path a model is, by `artifacts:` of a dvc.yaml."""

from collections.abc import Mapping
from typing import Any

import pytest

from mlxkit.core.errors import ProjectError
from mlxkit.data.artifacts import artifact_at, file_of
from mlxkit.data.history.tree import Tree

TOP = b"""\
artifacts:
  plain: {path: ./m/../m.bin, type: model, desc: One}
  filled: {path: '${out}'}
  outside: {path: ../m.bin}
  empty: {type: model}
"""
SUB = b"artifacts: {inner: {path: d/a}, up: {path: ../m.bin}}\n"


def tree(**files: bytes) -> Tree:
    texts = {path.replace("__", "/").replace("_", "."): data for path, data in files.items()}
    return Tree("rev", {path: path for path in texts}, lambda ids: {one: texts[one] for one in ids})


def never(_: Tree, path: str) -> Mapping[str, Any]:
    raise AssertionError(f"{path} has no template there")


def test_a_path_is_from_the_project_root() -> None:
    files = tree(dvc_yaml=TOP, sub__dvc_yaml=SUB)

    def path(model: str, folder: str = "") -> str | None:
        found = artifact_at(files, model, folder, never)
        return found.path if found else "nothing"

    assert path("plain") == "m.bin"
    assert (path("sub:inner"), path("sub:up")) == ("sub/d/a", "m.bin")
    assert (path("top:plain", "top"), path("top/sub:inner", "top")) == ("m.bin", "sub/d/a")
    assert (path("outside"), path("empty")) == (None, None)
    assert (path("nowhere"), path("other:plain"), path("other:plain", "top")) == ("nothing",) * 3


def test_only_a_template_is_filled_in() -> None:
    filled = {"artifacts": {"filled": {"path": "model.bin"}}}
    found = artifact_at(tree(dvc_yaml=TOP), "filled", "", lambda *_: filled)
    assert found is not None
    assert found.path == "model.bin"


def test_a_broken_file_is_no_missing_model() -> None:
    with pytest.raises(ProjectError) as caught:
        artifact_at(tree(dvc_yaml=b"artifacts: [\n"), "plain", "", never)
    assert "rev:dvc.yaml" in str(caught.value.where)


def test_which_file_declares_a_model() -> None:
    assert file_of("m", "") == "dvc.yaml"
    assert file_of("sub/x:m", "") == "sub/x/dvc.yaml"
    assert file_of("sub/x:m", "sub") == "x/dvc.yaml"
    assert file_of("m", "sub") == "dvc.yaml"
    assert file_of("other:m", "sub") is None
