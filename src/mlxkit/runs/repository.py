"""What all parts of `runs` ask of Git, whatever the user's hooks and settings."""

import getpass
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.tools import git

REF = "refs/mlx/runs"
QUIET = (
    "core.hooksPath=/dev/null",
    "core.safecrlf=false",
    "core.splitIndex=false",
    "core.quotePath=false",
)
"""The user's hooks are for the user's commits; no setting may make us fail or write elsewhere."""


class Who(NamedTuple):
    """Who runs: `line` is how a commit names them, with the time."""

    name: str
    line: str


def ask(
    root: str,
    *args: str,
    stdin: bytes | None = None,
    ok: tuple[int, ...] = (0,),
    env: Mapping[str, str] | None = None,
) -> bytes:
    """Return what a command of Git's prints; raises MlxError."""
    plain = {"GIT_OPTIONAL_LOCKS": "0", **(env or {})}
    return git.run(root, *args, stdin=stdin, ok=ok, env=plain, settings=QUIET)


def identify(root: str) -> Who:
    """Return who the user is to Git, or to the system where Git does not know."""
    with suppress(MlxError):
        line = ask(root, "var", "GIT_COMMITTER_IDENT").decode(errors="replace").strip()
        return Who(line.partition(" <")[0], line)
    import time

    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "unknown"
    return Who(name, f"{name} <{name}@localhost> {time.time():.0f} +0000")


def commits(root: str, names: Iterable[str]) -> dict[str, str]:
    """Return the ids of those of the `names` (ids, refs) that are commits and are there."""
    asked = list(names)
    given = "".join(f"{name}\n" for name in asked).encode()
    answers = ask(root, "cat-file", "--batch-check", stdin=given).decode().splitlines()
    told = [answer.split() for answer in answers]
    return {
        name: answer[0]
        for name, answer in zip(asked, told, strict=True)
        if len(answer) == 3 and answer[1] == "commit"
    }
