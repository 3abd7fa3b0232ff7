"""Ranks what was measured on one version of a test set; sets apart what was not. Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlxkit.leaderboard.board import Candidate, Entry, Left, Question, Row

_KINDS = ("deployed", "baseline", "experiment", "tag", "branch", "commit")
"""Of several names of one measurement, the first of these stands for it."""


class Ranking(NamedTuple):
    """What is ranked, best first, what is not, and by how much luck alone lifts the best."""

    rows: tuple[Row, ...]
    left: tuple[Left, ...]
    bias: float | None


def rank(question: Question, entries: Iterable[Entry], uses: int) -> Ranking:
    """Rank entries; `uses` models have been measured on this test set so far."""
    fair: list[Entry] = []
    unfair: list[Entry] = []
    for one in entries:
        (unfair if why_not(question, one) else fair).append(one)
    groups = _merged(fair)
    groups.sort(key=lambda group: (_worse(question, group[0]), group[0].candidate.name))
    bias = _bias(groups, uses)
    rows = _rows(question, groups, bias)
    return Ranking(rows, _left(question, unfair, {one.candidate for one in fair}), bias)


def selection_bias(error: float, uses: int) -> float:
    """Return by how much the best of `uses` results looks better than it is, at most on average.

    The expected maximum of k Gaussian errors of standard deviation s, dependent or not, is no more
    than s * sqrt(2 ln k): Boucheron, Lugosi, Massart, Concentration Inequalities (Oxford 2013),
    section 2.5.
    """
    return error * math.sqrt(2 * math.log(max(uses, 1)))


def why_not(question: Question, entry: Entry) -> str:
    """Return why an entry cannot be compared; empty where it can."""
    if entry.measured.reason:
        return entry.measured.reason
    if entry.measured.digest != question.digest:
        return f"measured on another version of {question.test}"
    return entry.score.reason


def _worse(question: Question, entry: Entry) -> float:
    value = entry.score.value
    assert value is not None
    return -value if question.better == "higher" else value


def _merged(entries: Sequence[Entry]) -> list[list[Entry]]:
    """Put together what is the same measurement under several names."""
    groups: dict[object, list[Entry]] = {}
    for one in entries:
        is_baseline = one.candidate.kind == "baseline"
        key = (one.model, one.measured.key, one.score.value, is_baseline)
        groups.setdefault(key, []).append(one)
    return [
        sorted(group, key=lambda one: _KINDS.index(one.candidate.kind)) for group in groups.values()
    ]


def _bias(groups: Sequence[Sequence[Entry]], uses: int) -> float | None:
    """Return the selection bias of the best that is no baseline; None where nobody knows."""
    best = [group[0] for group in groups if group[0].candidate.kind != "baseline"][:1]
    if not best or best[0].score.error is None:
        return None
    return selection_bias(best[0].score.error, uses)


def _rows(
    question: Question, groups: Sequence[Sequence[Entry]], bias: float | None
) -> tuple[Row, ...]:
    worse = [_worse(question, group[0]) for group in groups]
    baselines = [
        (group[0].candidate.name, value)
        for group, value in zip(groups, worse, strict=True)
        if group[0].candidate.kind == "baseline"
    ]
    best: float | None = None
    rows = []
    for group, value in zip(groups, worse, strict=True):
        competes = group[0].candidate.kind != "baseline"
        close = competes and best is not None and (value == best or value - best < (bias or 0))
        if competes and best is None:
            best = value
        also = tuple(dict.fromkeys(one.candidate for one in group[1:]))
        rows.append(
            Row(
                worse.index(value) + 1,
                group[0],
                tuple(one for one in also if one != group[0].candidate),
                tuple(name for name, other in baselines if competes and other <= value),
                not close,
            )
        )
    return tuple(rows)


def _left(question: Question, entries: Sequence[Entry], ranked: set[Candidate]) -> tuple[Left, ...]:
    """Return what is not ranked; a model that a candidate does not have says nothing, if it has
    another that is."""
    found: list[Left] = []
    told: dict[Candidate, set[str]] = {}
    for one in entries:
        reasons = told.setdefault(one.candidate, set())
        reason = why_not(question, one)
        absent = one.measured.key == "" and one.measured.digest is None
        if absent and (one.candidate in ranked or reason in reasons):
            continue
        reasons.add(reason)
        found.append(Left(one.candidate, one.model, reason, one.measured.digest))
    return tuple(found)
