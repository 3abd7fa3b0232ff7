"""`noise: {metric, predictions, against, other}`: do two models differ by more than luck?

The paired bootstrap over recorded predictions of the same rows.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlxkit.core.errors import MlxError
from mlxkit.gates.bench import Bench, Subject
from mlxkit.gates.tables import opened
from mlxkit.gates.verdict import Unjudged, Verdict, Word, exact, shown

if TYPE_CHECKING:
    from mlxkit.gates.bootstrap import Change

Settings = Mapping[str, Any]
_LOWER = ("log_loss", "brier", "mae", "rmse")
_MOST_UNDEFINED = 0.01


def check(settings: Settings, bench: Bench) -> list[Verdict]:
    """Hold the interval of the difference to the limit; raises Unjudged, MlxError."""
    ours, theirs = settings["predictions"], settings["other"] or settings["predictions"]
    base = bench.against(settings) if settings["against"] is not None else bench.subject
    if base is bench.subject and ours == theirs:
        raise Unjudged(f"{ours} is compared with itself: name another")
    try:
        change, rows, evidence = _change(settings, (bench.subject, ours), (base, theirs))
    except ImportError:
        raise MlxError(
            "this gate has a rule about predictions, which needs numpy",
            hint="run: pip install 'mlxkit[gates]'",
        ) from None
    name = base.name if base is not bench.subject else theirs
    return [_verdict(settings, change, rows, name)._replace(evidence=evidence)]


def _change(
    settings: Settings, mine: tuple[Subject, str], other: tuple[Subject, str]
) -> tuple["Change", int, Mapping[str, str]]:
    from mlxkit.gates.bootstrap import paired
    from mlxkit.gates.measures import prepare
    from mlxkit.gates.predictions import same_rows

    with opened(mine, other) as (ours, theirs):
        evidence = {**ours.evidence, **theirs.evidence}
        try:
            label, here, there = same_rows(ours, theirs, settings)
        except Unjudged as error:
            raise Unjudged(error.why, evidence) from None
    first, second = (prepare(settings["metric"], label, one) for one in (here, there))
    seed = hashlib.sha256(
        " ".join([settings["metric"], *ours.evidence.values(), *theirs.evidence.values()]).encode()
    )
    change = paired(
        first, second, len(label),
        resamples=settings["resamples"], confidence=settings["confidence"],
        seed=int.from_bytes(seed.digest()[:8], "big"),
    )  # fmt: skip
    if change.ours != change.ours or change.theirs != change.theirs:
        raise Unjudged(f"{settings['metric']} is not defined on these labels: all alike", evidence)
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
    return "inconclusive", f"wanted: {wanted}: inconclusive counts as {counts} here"
