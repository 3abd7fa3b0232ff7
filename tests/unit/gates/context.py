"""A revision as plain data, and rules as `mlx.yaml` has them, with their defaults."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.core.digest import md5_bytes
from mlxkit.core.yaml import load
from mlxkit.gates.context import Context, Data, File
from mlxkit.gates.evaluate import evaluate
from mlxkit.gates.verdict import Unjudged, Verdict
from mlxkit.metrics.preferences import Preference
from mlxkit.settings.model import Settings

KNOWN = {"acc": Preference("higher"), "loss": Preference("lower")}


class Plain:
    """Metrics files by path; text stands for one that cannot be read."""

    def __init__(
        self, files: Mapping[str, Any], name: str = "here", commit: str = "", basis: str = ""
    ) -> None:
        self.name = name
        self.commit = commit or None
        self.basis = basis or self.commit
        self._files = files

    def files(self) -> Sequence[str]:
        return list(self._files)

    def read(self, path: str) -> File:
        if isinstance(self._files[path], str):
            raise Unjudged(f"{self.place(path)} cannot be read: {self._files[path]}")
        return File(self._files[path], md5_bytes(repr(self._files[path]).encode()))

    def data(self, path: str) -> Data:
        raise Unjudged(f"there is no {self.place(path)}")

    def changed_since(self, other: Any) -> set[str]:
        return set()

    def digests(self) -> Mapping[str, str | None]:
        return {}

    def place(self, path: str) -> str:
        return path if self.name == "here" else f"{self.name}:{path}"

    def key(self, path: str) -> str:
        return self.place(path)


def check(
    rules: str,
    files: Mapping[str, Any],
    others: Mapping[str, Mapping[str, Any]] | None = None,
    base: str | None = None,
    head: str = "",
) -> list[Verdict]:
    """Return the verdicts of rules, one a line, on metrics files and those of other revisions.

    `head` is the other revision that the working tree was checked out from.
    """
    known = {name: Plain(one, name, f"c-{name}") for name, one in (others or {}).items()}

    def at(rev: str) -> Plain:
        if rev not in known:
            raise Unjudged(f"there is no revision '{rev}'")
        return known[rev]

    lines = "".join(f"    - {one}\n" for one in rules.strip().splitlines())
    told = Settings.model_validate(load(f"gates:\n  t:\n{lines}")).model_dump(mode="json")
    context = Context(Plain(files, basis=f"c-{head}"), at, KNOWN, base)
    return list(evaluate("t", told["gates"]["t"], context).verdicts)


def one(
    rule: str,
    files: Mapping[str, Any],
    others: Mapping[str, Mapping[str, Any]] | None = None,
    base: str | None = None,
) -> Verdict:
    """Return the verdict of a rule that has but one."""
    (found,) = check(rule, files, others, base)
    return found
