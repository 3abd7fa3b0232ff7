"""Workflow files in a user's repository: written, compared, never over a change of somebody's."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from mlxkit.ci.fitting import UNSAID, fitting_install, fitting_test
from mlxkit.ci.installed import quoted, renewed
from mlxkit.ci.options import WORKFLOWS, Options, check, ordered, parse
from mlxkit.ci.template import HEAD, is_untouched, render, script, suffix
from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic

FOLDER = ".github/workflows"
State = Literal["current", "outdated", "changed", "missing", "yours"]
_ASKED = {"train": ("training", "test"), "review": ("training", "test"),
          "retrain": ("training", "test"), "deploy": ("deployment",)}  # fmt: skip


class File(NamedTuple):
    """A file from the repository's top. `changed` means by somebody, `outdated` only by time."""

    path: str
    text: str
    state: State


def path_of(workflow: str, folder: str = "") -> str:
    """Return where a workflow's file is; `folder` is the project's, from the repository's top."""
    return f"{FOLDER}/mlx{suffix(folder)}-{workflow}.yml"


def deploy_script(folder: str = "") -> str:
    """Return where the user's own deployment script is."""
    return f".github/deploy{suffix(folder)}.sh"


def known_options(top: str, folder: str) -> Options | None:
    """Return the options that the files there were written with, None where there are none."""
    found: dict[str, Options] = {}
    for name in WORKFLOWS:
        text = _read(os.path.join(top, path_of(name, folder)))
        if text is not None and text.startswith(HEAD):
            options = parse(text.split("\n", 1)[0].removeprefix(HEAD))
            if options is not None and options.folder == folder:
                found[name] = options
    # What `--only` left behind has the options of earlier days.
    whole = (one for one in found.values() if all(found.get(name) == one for name in one.only))
    return next(whole, next(iter(found.values()), None))


def choose_options(top: str, folder: str, given: Mapping[str, Any]) -> Options:
    """Return what is to be written: what is given, else what is there, else what fits.

    An empty value takes away what is there. What installed an earlier mlx installs this one. Raises
    UsageError for what would be no workflow.
    """
    known = known_options(top, folder)
    options = known or Options(folder=folder)
    install = "" if options.install == UNSAID else renewed(options.install, quoted())
    options = options._replace(install=install)
    told = {key: value or Options._field_defaults[key] for key, value in given.items()}
    options = options._replace(**told)
    root = os.path.join(top, folder)
    options = options._replace(test=options.test or fitting_test(root))
    options = options._replace(install=options.install or fitting_install(root, options.test))
    return check(options._replace(only=ordered(options.only)))


def compare(top: str, options: Options) -> list[File]:
    """Return each file with its text and how what is there differs from it. Raises OSError."""
    found = []
    for name in options.only:
        path, text = path_of(name, options.folder), render(name, options)
        there = _read(os.path.join(top, path))
        found.append(File(path, text, _state(there, text)))
    if "deploy" in options.only:
        path = deploy_script(options.folder)
        there = _read(os.path.join(top, path))
        found.append(File(path, script(options), "missing" if there is None else "yours"))
    return found


def write(top: str, files: Sequence[File], *, force: bool) -> list[File]:
    """Write what is not there or old, with `force` also what somebody changed; return it."""
    kept = ("current", "yours") if force else ("current", "yours", "changed")
    wanted = [one for one in files if one.state not in kept]
    for one in wanted:
        mode = 0o755 if one.path.endswith(".sh") else None
        write_atomic(os.path.join(top, one.path), one.text.encode(), mode=mode)
    return wanted


def refuse_changed(files: Sequence[File]) -> None:
    """Refuse other options where somebody changed a file: half of them would not have these.

    Raises MlxError.
    """
    changed = [one.path for one in files if one.state == "changed"]
    if changed:
        raise MlxError(
            f"somebody changed {', '.join(changed)}: nothing is written with other options",
            hint="commit them, then: mlx ci init --force, and see git diff",
        )


def left_over(top: str, options: Options) -> list[str]:
    """Return the workflows that were written once and are none of these options' any more."""
    paths = [path_of(name, options.folder) for name in WORKFLOWS if name not in options.only]
    return [path for path in paths if (_read(os.path.join(top, path)) or "").startswith(HEAD)]


def lacking_gates(options: Options, gates: Iterable[str]) -> list[str]:
    """Return the gates that the workflows ask for and `mlx.yaml` does not have."""
    wanted = [gate for name in options.only for gate in _ASKED.get(name, ())]
    there = set(gates)
    return [gate for gate in dict.fromkeys(wanted) if gate not in there]


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
