"""`seeds: {metric, against, lose, min, max, spread}`: a metric over runs with several seeds."""

import math
import statistics
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from mlxkit.gates.context import Context, Subject, matching, value_in
from mlxkit.gates.statistics import Interval, difference_interval, mean_interval
from mlxkit.gates.verdict import Unjudged, Verdict, Word, exact, shown

Values = Mapping[str, float]


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the mean, with its interval, and the spread to their limits; raises Unjudged."""
    key = settings["metric"].rpartition(":")[2]
    ours, evidence = _values(settings, context.subject)
    found = []
    if settings["against"] is not None:
        found.append(_against(settings, key, ours, context))
    for name, sign in (("min", 1), ("max", -1)):
        if settings[name] is not None:
            interval = mean_interval(list(ours.values()), settings["confidence"])
            found.append(_mean(settings, key, interval, sign))
    if settings["spread"] is not None:
        found.append(_spread(settings, key, ours))
    return [
        one._replace(
            evidence={**evidence, **one.evidence},
            figures={**ours, **one.figures},
            accepted=one.verdict == "inconclusive" and settings["inconclusive"] == "pass",
        )
        for one in found
    ]


def _values(settings: Mapping[str, Any], subject: Subject) -> tuple[Values, Mapping[str, str]]:
    pattern, _, key = settings["metric"].rpartition(":")
    found = [value_in(subject, path, key) for path in matching(subject, pattern)]
    if len(found) < settings["least"]:
        raise Unjudged(
            f"{len(found)} metrics files of {subject.name} fit {pattern}: "
            f"at least {settings['least']} seeds must be there"
        )
    return {one.file: one.value for one in found}, {
        path: md5 for one in found for path, md5 in one.evidence.items()
    }


def _against(settings: Mapping[str, Any], key: str, ours: Values, context: Context) -> Verdict:
    base = context.against(settings)
    better = context.better(settings, key)
    theirs, evidence = _values(settings, base)
    paired = ours.keys() == theirs.keys()
    if paired:
        changes = [float(exact(ours[path]) - exact(theirs[path])) for path in ours]
        change = mean_interval(changes, settings["confidence"])
    else:
        change = difference_interval(
            list(ours.values()), list(theirs.values()), settings["confidence"]
        )
    word = _word(change, -settings["lose"] * better, better)
    why = (
        f"{key} against {base.name}: {change.mean:+.4g}, {_told(settings, change)}, "
        f"{len(ours)} seeds{', paired' if paired else f' and {len(theirs)}'}, "
        f"may lose {shown(settings['lose'])}{_remark(settings, word)}"
    )
    before = statistics.fmean(theirs.values())
    return Verdict(
        "seeds", word, why, f"{key} against {base.name}", statistics.fmean(ours.values()),
        before - better * settings["lose"], before,
        {"low": change.low, "high": change.high}, evidence,
    )  # fmt: skip


def _mean(settings: Mapping[str, Any], key: str, interval: Interval, sign: int) -> Verdict:
    limit = settings["min"] if sign > 0 else settings["max"]
    word = _word(interval, limit, sign)
    why = (
        f"mean {key} {interval.mean:.6g}, {_told(settings, interval)}, "
        f"{'minimum' if sign > 0 else 'maximum'} {shown(limit)}{_remark(settings, word)}"
    )
    return Verdict(
        "seeds", word, why, f"mean {key}", interval.mean, limit,
        figures={"low": interval.low, "high": interval.high},
    )  # fmt: skip


def _spread(settings: Mapping[str, Any], key: str, ours: Values) -> Verdict:
    variance = statistics.variance(Fraction(repr(one)) for one in ours.values())
    value, limit = math.sqrt(variance), settings["spread"]
    good = variance <= Fraction(repr(limit)) ** 2  # as they are written: no digit of rounding
    why = (
        f"standard deviation of {key} over {len(ours)} seeds {shown(value)}, maximum {shown(limit)}"
    )
    return Verdict("seeds", "pass" if good else "fail", why, f"spread of {key}", value, limit)


def _word(interval: Interval, limit: float, sign: int) -> Word:
    """Tell on which side of the limit the whole interval lies; on it is good."""
    near, far = (interval.low, interval.high) if sign > 0 else (interval.high, interval.low)
    if sign * (near - limit) >= 0:
        return "pass"
    return "fail" if sign * (far - limit) < 0 else "inconclusive"


def _told(settings: Mapping[str, Any], interval: Interval) -> str:
    return f"{settings['confidence']:.0%} interval {interval.low:.4g} to {interval.high:.4g}"


def _remark(settings: Mapping[str, Any], word: Word) -> str:
    if word != "inconclusive":
        return ""
    counts = "passed" if settings["inconclusive"] == "pass" else "failed"
    return f": inconclusive counts as {counts} here"
