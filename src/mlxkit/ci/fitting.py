"""What fits a project without workflows: how it is installed and tested, where its data are."""

import os
import re
from typing import NamedTuple

from mlxkit.ci.installed import NAME, quoted
from mlxkit.core.errors import MlxError
from mlxkit.tools import dvc

_PLUGINS = {
    "s3": "dvc-s3", "gs": "dvc-gs", "azure": "dvc-azure", "ssh": "dvc-ssh", "gdrive": "dvc-gdrive",
    "webdav": "dvc-webdav", "webdavs": "dvc-webdav", "oss": "dvc-oss", "hdfs": "dvc-hdfs",
    "webhdfs": "dvc-hdfs",
}  # fmt: skip


UNSAID = "echo '::error::how does a server install mlx? mlx ci init --install COMMAND'; exit 1"
"""Fails the workflow's first step, and says what to do."""


class Storage(NamedTuple):
    """The default remote; `scheme` is empty for a folder."""

    name: str
    url: str
    scheme: str


def fitting_install(root: str, test: str) -> str:
    """Return the command that installs the project, as far as its files and this mlx tell.

    Where nobody can tell how a server gets mlx it is `UNSAID`: no name that anybody may take.
    """
    required = _text(root, "requirements.txt")
    project = _text(root, "pyproject.toml")
    named = re.sub(r"#.*", "", f"{required or ''}\n{project or ''}")
    words = []
    if required is not None:
        words.append("--requirement requirements.txt")
    if project is not None and re.search(r"^\[project\]", project, re.MULTILINE):
        words.append("--editable .")
    if not re.search(rf"(?<![\w-]){NAME}(?![\w-])", named):
        word = quoted()
        if word is None:
            return UNSAID
        words.append(word)
    if "pytest" in test and "pytest" not in named:
        words.append("pytest")
    words += _plugins(root, named)
    return f"python -m pip install {' '.join(words)}"


def fitting_test(root: str) -> str:
    """Return the command that tests the project."""
    makefile = _text(root, "Makefile")
    if makefile is not None and re.search(r"^test\s*:", makefile, re.MULTILINE):
        return "make test"
    return "python -m pytest" if os.path.isdir(os.path.join(root, "tests")) else "mlx lint"


def doubts(root: str, install: str) -> list[str]:
    """Return what a person should know of a command that `fitting_install` made."""
    if install == UNSAID:
        return [
            "this mlx is from a place that only this machine knows, so the workflows fail until "
            f"you say how a server installs it: name {NAME} in requirements.txt, by a Git address "
            "with a commit, and call this again; or say all of it: --install COMMAND"
        ]
    found = []
    if "--requirement" not in install and "--editable" not in install:
        found.append(
            "no requirements.txt and no [project] in pyproject.toml: what the stages import is not "
            "installed; write one, or give --install"
        )
    bare = rf"^[ \t]*{NAME}[ \t]*(\[[^\]]*\])?[ \t]*(#.*)?$"
    if re.search(bare, _text(root, "requirements.txt") or "", re.MULTILINE):
        found.append(
            f"requirements.txt names {NAME} without a version: whatever bears that name runs where "
            "the token may write"
        )
    return found


def storage(root: str) -> Storage | None:
    """Return where the project's data go by default, None where nothing says so."""
    try:
        config, _ = dvc.load_config(root)
    except MlxError:
        return None  # the first command that needs it says what is wrong
    name = str(config.get("core", {}).get("remote") or "")
    url = str(config.get("remote", {}).get(name, {}).get("url") or "")
    found = re.match(r"([a-z0-9]+)://", url)
    return Storage(name, url, found[1] if found else "") if url else None


def _plugins(root: str, named: str) -> list[str]:
    """Return the package with which DVC reaches the project's storage, unless it is named."""
    there = storage(root)
    plugin = _PLUGINS.get(there.scheme) if there else None
    if plugin is None:
        return []
    short = plugin.removeprefix("dvc-")
    known = plugin in named or re.search(rf"dvc\[[^\]]*\b{short}\b", named)
    return [] if known else [plugin]


def _text(root: str, name: str) -> str | None:
    try:
        with open(os.path.join(root, name), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
