"""Workflow files in a user's repository: written, compared, never over a change of somebody's."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from mlxkit.ci.options import Options, check, ordered, parse
from mlxkit.ci.template import HEAD, is_untouched, render, script
from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic

FOLDER = ".github/workflows"
DEPLOY_SCRIPT = ".github/deploy.sh"
State = Literal["current", "outdated", "changed", "missing", "yours"]


class File(NamedTuple):
    """A file from the repository's top. `changed` means by somebody, `outdated` only by time."""

    path: str
    text: str
    state: State


def path_of(workflow: str) -> str:
    """Return where a workflow's file is."""
    return f"{FOLDER}/mlx-{workflow}.yml"


def choose_options(root: str, given: Mapping[str, Any]) -> Options:
    """Return what is to be written: what is given, else what is there, else what fits.

    Raises UsageError for what would be no workflow.
    """
    known = _known(root) or Options(install=_install(root), test=_test(root))
    options = known._replace(**{key: value for key, value in given.items() if value})
    return check(options._replace(only=ordered(options.only)))


def compare(root: str, options: Options) -> list[File]:
    """Return each file with its text and how what is there differs from it. Raises OSError."""
    found = []
    for name in options.only:
        path, text = path_of(name), render(name, options)
        there = _read(os.path.join(root, path))
        found.append(File(path, text, _state(there, text)))
    if "deploy" in options.only:
        there = _read(os.path.join(root, DEPLOY_SCRIPT))
        found.append(File(DEPLOY_SCRIPT, script(), "missing" if there is None else "yours"))
    return found


def write(root: str, files: Sequence[File], *, force: bool) -> list[File]:
    """Write what is not there or old, and return it.

    Raises MlxError, with nothing written, where somebody changed one; `force` overwrites that.
    """
    changed = [one.path for one in files if one.state == "changed"]
    if changed and not force:
        raise MlxError(
            f"somebody changed {', '.join(changed)}: nothing is written",
            hint="commit them, then: mlx ci init --force, and see git diff",
        )
    wanted = [one for one in files if one.state not in ("current", "yours")]
    for one in wanted:
        mode = 0o755 if one.path == DEPLOY_SCRIPT else None
        write_atomic(os.path.join(root, one.path), one.text.encode(), mode=mode)
    return wanted


def lacking_gates(options: Options, gates: Iterable[str]) -> list[str]:
    """Return the gates that the workflows ask for and `mlx.yaml` does not have."""
    asked = {"train": ("training", "test"), "review": ("training", "test"),
             "retrain": ("training", "test"), "deploy": ("deployment",)}  # fmt: skip
    wanted = [gate for name in options.only for gate in asked.get(name, ())]
    there = set(gates)
    return [gate for gate in dict.fromkeys(wanted) if gate not in there]


def _known(root: str) -> Options | None:
    """Return the options that the files there were written with."""
    for name in ("train", "review", "test", "retrain", "deploy"):
        text = _read(os.path.join(root, path_of(name)))
        if text is not None and text.startswith(HEAD):
            found = parse(text.split("\n", 1)[0].removeprefix(HEAD))
            if found is not None:
                return found
    return None


def _state(there: str | None, text: str) -> State:
    if there is None:
        return "missing"
    if there == text:
        return "current"
    return "outdated" if is_untouched(there) else "changed"


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def _install(root: str) -> str:
    """Return a line that installs what the project says it needs, and mlx."""
    words = []
    required = _read(os.path.join(root, "requirements.txt"))
    project = _read(os.path.join(root, "pyproject.toml"))
    if required is not None:
        words.append("--requirement requirements.txt")
    if project is not None and re.search(r"^\[project\]", project, re.MULTILINE):
        words.append("--editable .")
    if "mlxkit" not in (required or "") + (project or ""):
        words.append("mlxkit")
    return f"python -m pip install {' '.join(words)}"


def _test(root: str) -> str:
    makefile = _read(os.path.join(root, "Makefile"))
    if makefile is not None and re.search(r"^test\s*:", makefile, re.MULTILINE):
        return "make test"
    return "python -m pytest" if os.path.isdir(os.path.join(root, "tests")) else "mlx lint"
