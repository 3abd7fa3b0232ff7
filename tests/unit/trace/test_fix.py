"""Deps added to a `dvc.yaml` as text: whatever its layout, the rest stays as it is."""

import pytest

from mlxkit.core.yaml_ruamel import parse_for_update
from mlxkit.trace.fix import with_deps

BEFORE_AND_AFTER = {
    "a list under its key": (
        "stages:\n  a:\n    cmd: x\n    deps:\n    - one # first\n    # last\n    outs: [o]\n",
        "stages:\n  a:\n    cmd: x\n    deps:\n    - one # first\n    - n/ew.py\n    # last\n"
        "    outs: [o]\n",
    ),
    "a list in brackets": (
        "stages:\n  a:\n    cmd: x\n    deps: [one, 'two']  # both\n",
        "stages:\n  a:\n    cmd: x\n    deps: [one, 'two', n/ew.py]  # both\n",
    ),
    "no deps": (
        "stages:\n  a:\n    cmd: x\n\n    # the outs\n    outs: [o]\n",
        "stages:\n  a:\n    cmd: x\n    deps:\n      - n/ew.py\n\n    # the outs\n    outs: [o]\n",
    ),
    "no deps, several commands": (
        "stages:\n  a:\n    cmd:\n    - x\n    - y\n  b:\n    cmd: z\n",
        "stages:\n  a:\n    cmd:\n    - x\n    - y\n    deps:\n      - n/ew.py\n  b:\n    cmd: z\n",
    ),
    "no deps, a long command": (
        "stages:\n  a:\n    cmd: >-\n      x\n      y\n\n  b:\n    cmd: z\n",
        "stages:\n  a:\n    cmd: >-\n      x\n      y\n    deps:\n      - n/ew.py\n\n"
        "  b:\n    cmd: z\n",
    ),
    "no end of line": (
        "stages:\n  a:\n    cmd: x\n    deps:\n      - one",
        "stages:\n  a:\n    cmd: x\n    deps:\n      - one\n      - n/ew.py\n",
    ),
    "lines of Windows": (
        "stages:\r\n  a:\r\n    cmd: x\r\n    deps:\r\n      - one\r\n",
        "stages:\r\n  a:\r\n    cmd: x\r\n    deps:\r\n      - one\r\n      - n/ew.py\r\n",
    ),
    "all in one line": ("stages: {a: {cmd: x, outs: [o]}}\n", None),
    "tabs and spaces after the dash": (
        "stages:\n  a:\n    cmd: x\n    deps:\n      -   one\n",
        "stages:\n  a:\n    cmd: x\n    deps:\n      -   one\n      -   n/ew.py\n",
    ),
}


@pytest.mark.parametrize("case", BEFORE_AND_AFTER)
def test_layouts(case: str) -> None:
    before, after = BEFORE_AND_AFTER[case]
    declared = parse_for_update(before)["stages"]["a"]
    assert with_deps(before, declared, ["n/ew.py"]) == after


@pytest.mark.parametrize("path", ["a b: c.py", "1.5", "yes", "#x", "ä.py", "*.py", "- a", "null"])
def test_names_that_need_quotes(path: str) -> None:
    text = "stages:\n  a:\n    cmd: x\n"
    new = with_deps(text, parse_for_update(text)["stages"]["a"], [path])
    assert new is not None
    assert parse_for_update(new)["stages"]["a"]["deps"] == [path]
