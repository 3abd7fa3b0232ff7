"""Builds a leaderboard: settings, candidates, what was measured on what, the ranking, the wear."""

import posixpath
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.leaderboard.board import Board, Candidate, Entry, Question
from mlxkit.leaderboard.candidates import Asked, candidates, in_use
from mlxkit.leaderboard.deployed import list_tags
from mlxkit.leaderboard.history import History
from mlxkit.leaderboard.measured import version_of
from mlxkit.leaderboard.ranking import rank, why_not
from mlxkit.leaderboard.wear import versions, wear
from mlxkit.lineage.index import Index
from mlxkit.metrics.preferences import load_preferences, preference_of
from mlxkit.settings.load import section

_LIMIT = 50


class Settings(NamedTuple):
    """`leaderboard` of mlx.yaml, with what the command line says on top."""

    metric: str | None = None
    test: str | None = None
    digest: str | None = None
    models: Mapping[str, str] = {}
    baselines: Mapping[str, str] = {}
    deployed: str | None = None
    uses: int = _LIMIT


def load_settings(root: str, **given: str | None) -> Settings:
    """Read `leaderboard` of the project's `mlx.yaml`; what is `given` comes first.

    Raises ProjectError, with file and line.
    """
    told = section(root, "leaderboard") or {}
    settings = Settings(**{**told, **{name: one for name, one in given.items() if one}})
    return settings._replace(
        test=settings.test and posixpath.normpath(settings.test),
        models=_plain(settings.models),
        baselines=_plain(settings.baselines),
    )


def _plain(files: Mapping[str, str]) -> dict[str, str]:
    return {name: posixpath.normpath(path) for name, path in files.items()}


def build(index: Index, settings: Settings, asked: Asked) -> Board:
    """Return the board; raises UsageError, ProjectError and MlxError."""
    metric, test, models = _complete(settings)
    head = index.tips.refs.get("HEAD")
    if head is None:
        raise UsageError("nothing was committed yet", hint="run: git commit")
    past = History(index, [test, *models.values(), *settings.baselines.values()])
    digest = _frozen(index, past, head, test, settings.digest)
    better = preference_of(metric, load_preferences(index.root)).better
    question = Question(metric, better or "", test, digest, models, settings.baselines)
    tagged = _has_tags(index)
    tags = list_tags(index.git_root) if tagged else []
    wanted = candidates(index.git_root, index.tips, asked, tags)
    in_stage = in_use(index.git_root, settings.deployed) if settings.deployed and tagged else []
    wanted = [*in_stage, *wanted]
    entries = _entries(past, question, wanted, head)
    if not any(one.score.value is not None for one in entries):
        absent = [one.score.reason for one in entries if one.score.absent]
        if absent:
            raise UsageError(f"nobody has that metric: {absent[0]}", hint="see: mlx metrics show")
    if better is None:
        raise ProjectError(
            f"which direction of '{metric}' is good is not known",
            hint=f"add to mlx.yaml:  metrics: {{{metric}: {{better: higher}}}}",
        )
    worn = wear(index, past, test, digest, list(models.values()))
    ranking = rank(question, entries, worn.uses)
    notes = []
    if index.tips.border:
        notes.append("this clone is shallow: what was measured before its border is not counted")
    if settings.deployed and not in_stage:
        notes.append(f"nothing is deployed: no tag like NAME#{settings.deployed}#1")
    return Board(
        question, ranking.rows, ranking.left, worn, settings.uses, ranking.bias, tuple(notes)
    )


def _complete(settings: Settings) -> tuple[str, str, Mapping[str, str]]:
    lacking = [
        words
        for words, value in (
            ("by which metric (--metric NAME)", settings.metric),
            ("measured on which test set (--test PATH)", settings.test),
            ("from which metrics file (--file PATH)", settings.models),
        )
        if not value
    ]
    if not (settings.metric and settings.test and settings.models):
        raise UsageError(
            f"ranked {', '.join(lacking)}?",
            hint="or add to mlx.yaml:  leaderboard: {metric: accuracy, test: data/test.csv,"
            " models: {mine: metrics.json}}",
        )
    return settings.metric, settings.test, settings.models


def _frozen(index: Index, past: History, head: str, test: str, wanted: str | None) -> str:
    """Return the digest that all must have been measured on."""
    if wanted is None:
        found = version_of(past.recorded(head), past.placed(test), past.inside)
        if found is None:
            raise UsageError(
                f"HEAD has no digest of '{test}' on record",
                hint="name a path that dvc.lock or a .dvc file records, or a version: --digest",
            )
        return found
    known = [one for one in versions(index, past, test) if one.startswith(wanted)]
    if len(known) != 1:
        many = f"{len(known)} versions" if known else "no version"
        raise UsageError(
            f"{many} of '{test}' on record with a digest that begins with '{wanted}'",
            hint=f"see: mlx log {test}",
        )
    return known[0]


def _triples(
    wanted: Sequence[Candidate], files: Mapping[str, str]
) -> list[tuple[Candidate, str, str]]:
    return [(one, name, file) for one in wanted for name, file in files.items()]


def _has_tags(index: Index) -> bool:
    return any(name.startswith("refs/tags/") for name in index.tips.refs)


def _entries(
    past: History, question: Question, wanted: Sequence[Candidate], head: str
) -> list[Entry]:
    """Return the entries of all candidates; of each baseline HEAD's, or that of the first commit
    that is comparable.
    """
    triples = _triples(wanted, question.models)
    first = [_of_baseline(name, file, head) for name, file in question.baselines.items()]
    found = past.entries([*triples, *first], question.metric, question.test)
    entries, baselines = found[: len(triples)], found[len(triples) :]
    others = list(dict.fromkeys(one.commit for one in wanted if one.commit != head))
    for own, (_, name, file) in zip(baselines, first, strict=True):
        triples = [_of_baseline(name, file, commit) for commit in others]
        each = [own]
        if triples and why_not(question, own):
            each += past.entries(triples, question.metric, question.test)
        entries.append(next((one for one in each if not why_not(question, one)), own))
    return entries


def _of_baseline(name: str, file: str, commit: str) -> tuple[Candidate, str, str]:
    return Candidate(name, "baseline", commit), name, file
