"""Lock files cut into stages say what they say as a whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxkit.comparison.locks import LockTexts
from mlxkit.core import yaml
from mlxkit.core.errors import ProjectError
from mlxkit.pipeline.lockfile import parse

PATHS = st.sampled_from(["a", "data/x.csv", "1", "1e5", "true", "ä b", "- x", "a: b", "../up", "n"])
ITEMS = st.lists(
    st.fixed_dictionaries(
        {"path": PATHS, "hash": st.just("md5")},
        optional={
            "md5": st.sampled_from(["0" * 32, "1" * 32 + ".dir", "12e45678" * 4, "f" * 32]),
            "size": st.integers(0, 9),
            "nfiles": st.integers(0, 3),
            "isexec": st.just(True),
        },
    ),
    max_size=3,
)
COMMANDS = st.sampled_from(["x", "echo\n    deps:\n  y:", "a" * 200, ["a b", "c"], "deps:"])
ENTRIES = st.fixed_dictionaries(
    {"cmd": COMMANDS},
    optional={"deps": ITEMS, "params": st.just({"p.yaml": {"lr": 0.1}}), "outs": ITEMS},
)
NAMES = st.sampled_from(["train", "a@1", "y", "1", "null", "x-y"])


@given(st.lists(st.dictionaries(NAMES, ENTRIES, min_size=1, max_size=4), min_size=1, max_size=3))
def test_cut_or_whole_it_is_the_same(files: list[dict[str, Any]]) -> None:
    texts = LockTexts()
    for stages in files:
        raw = yaml.dumps({"schema": "2.0", "stages": stages}).encode()
        found = texts.entries(raw, "dvc.lock")
        expected = parse(raw, "dvc.lock")["stages"]
        assert found.keys() == expected.keys()
        for name, entry in expected.items():
            for kind in ("deps", "outs"):
                assert _plain(found[name].get(kind)) == _plain(entry.get(kind))


@pytest.mark.parametrize("text", [
    "schema: '2.0'\nstages:\n  a:\n    cmd: x\n<<<<<<< HEAD\n  b:\n    cmd: y\n",
    "schema: '2.0'\nstages:\n  a: [\n", "schema: '2.0'\nstages:\n  a\n", "nonsense",
])  # fmt: skip
def test_an_invalid_file_is_an_error(text: str) -> None:
    with pytest.raises(ProjectError):
        LockTexts().entries(text.encode(), "dvc.lock")


def _plain(items: Any) -> list[dict[str, Any]]:
    return [{key: one[key] for key in one if key != "isexec"} for one in items or ()]
