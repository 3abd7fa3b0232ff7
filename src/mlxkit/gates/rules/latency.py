"""`latency: {model, inputs, p95_ms}`: how long a call of the saved model takes, on this machine."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.gates.context import Context
from mlxkit.gates.models.feeding import ask_model
from mlxkit.gates.verdict import Unjudged, Verdict, Word, shown

_LEAST = 10
_SHARES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold quantiles of the measured times to their limits; raises Unjudged, MlxError."""
    more = {key: settings[key] for key in ("warm_up", "repeats")}
    asked = ask_model("latency", settings, context, **more)
    taken = sorted(one / 1e6 for one in asked.answer["taken"])
    if len(taken) < _LEAST:
        why = f"only {len(taken)} calls ended within half of {settings['within']:g} s"
        raise Unjudged(f"{why}: too few to judge", asked.evidence)
    return [one._replace(evidence=asked.evidence) for one in judge(settings, taken)]


def judge(settings: Mapping[str, Any], taken: Sequence[float]) -> list[Verdict]:
    """Return a verdict for each quantile that has a limit; `taken` is sorted, in milliseconds."""
    figures = {key: round(quantile(taken, share), 4) for key, share in _SHARES.items()}
    rows = settings["rows"]
    size = "1 row" if rows == 1 else f"{rows} rows"
    found = []
    for key in _SHARES:
        limit = settings[key]
        if limit is None:
            continue
        value, name = figures[key], key.removesuffix("_ms")
        word: Word = "pass" if value <= limit else "fail"
        relation = "<=" if word == "pass" else ">"
        why = (
            f"{settings['model']}: {name} {shown(value, limit)} ms {relation} "
            f"{shown(limit, value)} ms for {size} ({len(taken)} calls on this machine)"
        )
        told = Verdict("latency", word, why, settings["model"], value, limit)
        found.append(told._replace(figures=figures))
    return found


def quantile(values: Sequence[float], share: float) -> float:
    """Return the least of sorted values that at least `share` of them do not exceed."""
    return values[max(0, math.ceil(share * len(values)) - 1)]
