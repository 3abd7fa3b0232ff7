"""`noise: {metric, predictions, against, other}`: do two models differ by more than luck?

The paired bootstrap over recorded predictions of the same rows.
"""

import hashlib
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlxkit.core.errors import MlxError
from mlxkit.core.progress import Progress
from mlxkit.gates.context import Context, Subject
from mlxkit.gates.tables import opened
from mlxkit.gates.verdict import Unjudged, Verdict, Word, exact, shown

if TYPE_CHECKING:
    from mlxkit.gates.bootstrap import Change

Settings = Mapping[str, Any]
_LOWER = ("log_loss", "brier", "mae", "rmse")
_MOST_UNDEFINED = 0.01
_LEAST_ROWS = 30
"""Of fewer, resamples tell nothing: their interval is too narrow, down to a single value."""


def check(settings: Settings, context: Context) -> list[Verdict]:
    """Hold the interval of the difference to the limit; raises Unjudged, MlxError."""
    ours, theirs = settings["predictions"], settings["other"] or settings["predictions"]
    base = context.against(settings) if settings["against"] is not None else context.subject
    if base is context.subject and ours == theirs:
        raise Unjudged(f"{ours} is compared with itself: name another")
    try:
        change, rows, evidence = _change(
            settings, (context.subject, ours), (base, theirs), context.progress
        )
    except ImportError:
        raise MlxError(
            "this gate has a rule about predictions, which needs numpy",
            hint="run: pip install 'mlxkit[gates]'",
        ) from None
    name = base.place(theirs) if settings["other"] else base.name
    return [_verdict(settings, change, rows, name)._replace(evidence=evidence)]


def _change(
    settings: Settings,
    mine: tuple[Subject, str],
    other: tuple[Subject, str],
    progress: Progress,
) -> tuple["Change", int, Mapping[str, str]]:
    import numpy as np

    from mlxkit.gates.bootstrap import paired
    from mlxkit.gates.measures import prepare
    from mlxkit.gates.predictions import same_rows

    with opened(mine, other) as (ours, theirs):
        evidence = {**ours.evidence, **theirs.evidence}
        try:
            label, here, there = same_rows(ours, theirs, settings)
        except Unjudged as error:
            raise Unjudged(error.why, evidence) from None
    if len(label) < _LEAST_ROWS:
        why = f"{ours.place} has {len(label)} rows: fewer than {_LEAST_ROWS} say nothing about luck"
        raise Unjudged(why, evidence)
    seed = hashlib.sha256(
        " ".join([settings["metric"], *ours.evidence.values(), *theirs.evidence.values()]).encode()
    )
    with np.errstate(over="ignore", invalid="ignore"):  # told below
        first, second = (prepare(settings["metric"], label, one) for one in (here, there))
        change = paired(
            first, second, len(label),
            resamples=settings["resamples"], confidence=settings["confidence"],
            seed=int.from_bytes(seed.digest()[:8], "big"), progress=progress,
        )  # fmt: skip
    if math.isnan(change.ours) or math.isnan(change.theirs):
        raise Unjudged(f"{settings['metric']} is not defined on these labels: all alike", evidence)
    if not all(map(math.isfinite, (change.ours, change.theirs, change.low, change.high))):
        raise Unjudged(f"{settings['metric']} is infinite: these numbers are too large", evidence)
    if change.undefined > settings["resamples"] * _MOST_UNDEFINED:
        raise Unjudged(
            f"{settings['metric']} is not defined on {change.undefined} of "
            f"{settings['resamples']} resamples: too few rows of one class",
            evidence,
        )
    return change, len(label), evidence


def _verdict(settings: Settings, change: "Change", rows: int, name: str) -> Verdict:
    metric = settings["metric"]
    better = -1 if metric in _LOWER else 1
    word, why = _judged(settings, change, better)
    ours, theirs = shown(change.ours, change.theirs), shown(change.theirs, change.ours)
    told = (
        f"{metric} {ours}, {name} has {theirs}: {change.change:+.4g}, "
        f"{settings['confidence']:.0%} interval {change.low:+.4g} to {change.high:+.4g} "
        f"({rows} rows): {why}"
    )
    limit = settings["by"] if settings["want"] == "better" else -settings["lose"]
    return Verdict(
        "noise", word, told, metric, change.ours,
        float(exact(change.theirs) + better * exact(limit)), change.theirs,
        {"change": change.change, "low": change.low, "high": change.high},
        accepted=word == "inconclusive" and settings["inconclusive"] == "pass",
    )  # fmt: skip


def _judged(settings: Settings, change: "Change", better: int) -> tuple[Word, str]:
    """Tell on which side of the limit the whole interval lies, and what people call that."""
    low, high = sorted((better * change.low, better * change.high))
    side = "better" if low > 0 else "worse" if high < 0 else "no difference seen"
    if settings["want"] == "better":
        by = settings["by"]
        good = low >= by if by else low > 0
        bad = high < by if by else high <= 0
        wanted = f"better by at least {shown(by)}" if by else "better"
    else:
        good, bad = low >= -settings["lose"], high < -settings["lose"]
        wanted = f"worse by no more than {shown(settings['lose'])}"
    if good or bad:
        return "pass" if good else "fail", f"{side}; wanted: {wanted}"
    counts = "passed" if settings["inconclusive"] == "pass" else "failed"
    return "inconclusive", f"{side}; wanted: {wanted}: inconclusive counts as {counts} here"
