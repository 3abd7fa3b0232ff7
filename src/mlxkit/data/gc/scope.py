"""DVC's scopes of a garbage collection: which commits count besides the working tree."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.data.history import versions
from mlxkit.data.history.versions import Text
from mlxkit.tools import git
from mlxkit.versions.find import commit_named

_COMMITS = ("refs/heads", "refs/remotes", "refs/tags")


class Scope(NamedTuple):
    """What DVC's flags ask to keep; with none of them, everything that is known."""

    workspace: bool = False
    branches: bool = False
    tags: bool = False
    commits: bool = False
    experiments: bool = False
    revision: str = ""
    number: int = 1
    since: str = ""

    @property
    def narrow(self) -> bool:
        """Whether anything at all was asked for."""
        return self != Scope()

    @property
    def needs_history(self) -> bool:
        """Whether a shallow clone cannot tell what is in it."""
        asked = self.commits or bool(self.since) or self.number != 1
        return asked or not self.narrow


def scoped(root: str, scope: Scope) -> Iterator[Text]:
    """The files of all commits in the scope; raises UsageError for an unknown revision or day."""
    if scope.commits:
        yield from versions.history(root, tips=_all_tips(root))
    yield from versions.at_trees(root, {one: one[:7] for one in _commits(root, scope)})


def _commits(root: str, scope: Scope) -> Iterator[str]:
    """Commits whose files count, as they are there."""
    branches = list(versions.refs(root, "refs/heads").values()) if scope.branches else []
    revisions = [_resolved(root, scope.revision)] if scope.revision else []
    for tip in [*branches, *revisions]:
        yield from _newest(root, tip, scope.number)
    if scope.tags:
        yield from (oid for oid, kind in _peeled(root, "refs/tags") if kind != "blob")
    if scope.experiments:
        for ref, tip in versions.refs(root, "refs/exps").items():
            yield from _experiment(root, ref, tip)
    if scope.since:
        yield from _since(root, scope.since)


def _all_tips(root: str) -> list[str]:
    head = [oid for oid, _ in versions.kinds(root, ["HEAD"]).values()]
    return head + [oid for oid, kind in _peeled(root, *_COMMITS) if kind == "commit"]


def _peeled(root: str, *prefixes: str) -> list[tuple[str, str]]:
    return list(versions.kinds(root, versions.refs(root, *prefixes)).values())


def _newest(root: str, tip: str, number: int) -> list[str]:
    """A commit and those before it, along first parents, `number` in all; all with a negative."""
    if number == 1:
        return [tip]
    return git.run(root, "rev-list", "--first-parent", f"-n{number}", tip, "--").decode().split()


def _experiment(root: str, ref: str, tip: str) -> list[str]:
    """The commits of one of DVC's experiments: `refs/exps/ab/cdef.../name` says what it is upon."""
    parts = ref.split("/")
    base = "".join(parts[2:4])
    if len(parts) != 5 or base not in versions.kinds(root, [base]):
        return [tip]
    return [tip, *git.run(root, "rev-list", "--first-parent", tip, f"^{base}").decode().split()]


def _resolved(root: str, revision: str) -> str:
    """Return the commit that a revision, or the name of one of DVC's experiments, stands for."""
    found = versions.kinds(root, [revision]) if "\n" not in revision else {}
    if revision in found and found[revision][1] == "commit":
        return found[revision][0]
    experiments = versions.refs(root, "refs/exps")
    named = [oid for ref, oid in experiments.items() if ref.rpartition("/")[2] == revision]
    if not named and (of_model := commit_named(root, revision)) is not None:
        return of_model
    if len(named) != 1:
        raise UsageError(f"there is no revision '{revision}'", hint="see: git log --oneline --all")
    return named[0]


def _since(root: str, day: str) -> Iterator[str]:
    try:
        start = time.mktime(time.strptime(day, "%Y-%m-%d"))
    except (ValueError, OverflowError):
        raise UsageError(f"'{day}' is not a day", hint="write it as 2025-01-31") from None
    tips = _all_tips(root)
    if tips:
        # Not Git's own --since, which stops looking at the first older commit.
        listed = git.run(
            root, "log", "--format=%ct %H", "--stdin", stdin="\n".join(tips).encode() + b"\n"
        )
        for line in listed.decode().splitlines():
            moment, _, commit = line.partition(" ")
            if int(moment) >= start:
                yield commit
