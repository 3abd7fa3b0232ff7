"""Who may be ranked: what the user names, or all that has a name."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.core.errors import UsageError
from mlxkit.experiments.refs import find_experiment, parse_ref
from mlxkit.leaderboard.board import Candidate
from mlxkit.leaderboard.deployed import Tag, deployed, is_assignment
from mlxkit.lineage.blobs import existing
from mlxkit.lineage.history import Tips
from mlxkit.tools import git
from mlxkit.versions.find import commit_named

_SHOWN = 7


class Asked(NamedTuple):
    """What the user wants to see: names, or kinds; neither: all that has a name."""

    names: Sequence[str] = ()
    branches: bool = False
    tags: bool = False
    commits: bool = False
    experiments: bool = False

    @property
    def anything(self) -> bool:
        """Tell whether the user named anything."""
        return bool(self.names) or self.branches or self.tags or self.commits or self.experiments


def candidates(git_root: str, tips: Tips, asked: Asked, tags: Sequence[Tag]) -> list[Candidate]:
    """Return the candidates, each once, of the `tags` those that name a version.

    Raises UsageError for a name that nothing has.
    """
    found = [_named(git_root, tips, name) for name in asked.names]
    everything = not asked.anything
    if everything:
        found.append(_head(git_root, tips))
    if everything or asked.branches:
        found += _refs(tips, "refs/heads/", "branch")
    if everything or asked.tags:
        versions = [one for one in tags if not is_assignment(one.name)]
        found += [Candidate(one.name, "tag", one.commit) for one in versions]
    if everything or asked.experiments:
        found += _experiments(tips)
    if asked.commits:
        found += [Candidate(one[:_SHOWN], "commit", one) for one in _commits(git_root, tips)]
    return list(dict.fromkeys(found))


def in_use(git_root: str, stage: str) -> list[Candidate]:
    """Return what is deployed to a stage, by its assignment tags; raises MlxError."""
    found = deployed(git_root, stage)
    return [Candidate(one.name, "deployed", one.commit) for one in found]


def _named(git_root: str, tips: Tips, name: str) -> Candidate:
    if name == "HEAD":
        return _head(git_root, tips)
    commit = commit_named(git_root, name)
    if commit is None:
        try:
            found = find_experiment(git_root, name)
        except UsageError as error:
            if "names" in error.message:  # several of that name
                raise
            raise UsageError(
                f"there is no commit, branch, tag or experiment '{name}'",
                hint="see: git log --oneline --all; mlx exp list -A",
            ) from None
        return Candidate(found.name, "experiment", found.commit)
    for kind, prefix in (("tag", "refs/tags/"), ("branch", "refs/heads/")):
        if prefix + name in tips.refs:
            return Candidate(name, kind, commit)
    return Candidate(name[:_SHOWN] if name == commit else name, "commit", commit)


def _head(git_root: str, tips: Tips) -> Candidate:
    commit = tips.refs.get("HEAD")
    if commit is None:
        raise UsageError("nothing was committed yet", hint="run: git commit")
    told = git.run(git_root, "symbolic-ref", "--quiet", "--short", "HEAD", ok=(0, 1))
    branch = told.decode(errors="surrogateescape").strip("\n")
    return Candidate(branch, "branch", commit) if branch else Candidate("HEAD", "commit", commit)


def _commits(git_root: str, tips: Tips) -> list[str]:
    """Return all commits, the oldest first: it stands for those that changed nothing after it."""
    given = "".join(f"{one}\n" for one in existing(git_root, tips.ids)).encode()
    told = git.run(git_root, "rev-list", "--reverse", "--date-order", "--stdin", stdin=given)
    return told.decode("ascii").split()


def _experiments(tips: Tips) -> Iterable[Candidate]:
    for ref, oid in sorted(tips.refs.items()):
        found = parse_ref(ref)
        if found is not None:
            yield Candidate(found[1], "experiment", oid)


def _refs(tips: Tips, prefix: str, kind: str) -> Iterable[Candidate]:
    for name, oid in sorted(tips.refs.items()):
        if name.startswith(prefix):
            yield Candidate(name.removeprefix(prefix), kind, oid)
