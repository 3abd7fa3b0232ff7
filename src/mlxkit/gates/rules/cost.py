"""`cost: {metric, against, more, for}`: what a version costs more, for what it gained."""

from collections.abc import Mapping
from typing import Any

from mlxkit.gates.context import Context, find, value_in
from mlxkit.gates.verdict import Unjudged, Verdict, exact, shown
from mlxkit.gates.version_cost import Ledger, Spent

_DRAWN = 10
"""Only so many stages are figures of a verdict: the dearest."""


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Let the cost grow by more than `more` only for a gain of at least `for`.

    Raises Unjudged where a metric or a run is missing, MlxError where records cannot be read.
    """
    found = find(context.subject, settings["metric"])
    base = context.against(settings)
    other = value_in(base, found.file, found.key)
    change = exact(found.value) - exact(other.value)
    gain = context.better(settings, found.key) * change
    evidence = {**found.evidence, **other.evidence}
    ours, theirs = _both(settings, context, evidence)
    limit = theirs.total * (1 + settings["more"])
    dear, small = ours.total > limit, gain < exact(settings["for_"])
    told = f"{float(change):+.6g}" if change else "unchanged"
    why = (
        f"{found.key} {told} against {base.name} for {_growth(theirs.total, ours.total)} "
        f"{settings['measure']} ({shown(_brief(ours.total))}, was {shown(_brief(theirs.total))}): "
        f"more than {_percent(settings['more'])} is right from a gain of {shown(settings['for_'])}"
    )
    dearest = sorted(ours.by_stage.items(), key=lambda item: (-item[1], item[0]))[:_DRAWN]
    verdict = Verdict(
        "cost", "fail" if dear and small else "pass", why, found.key,
        _brief(ours.total), _brief(limit), _brief(theirs.total), dict(dearest),
    )  # fmt: skip
    return [verdict._replace(evidence={**evidence, **ours.evidence, **theirs.evidence})]


def _both(
    settings: Mapping[str, Any], context: Context, evidence: Mapping[str, str]
) -> tuple[Spent, Spent]:
    try:
        ledger = Ledger(context)
        base = context.against(settings)
        ours, theirs = (
            ledger.spent(one, settings["stages"], settings["measure"])
            for one in (context.subject, base)
        )
    except Unjudged as error:
        raise Unjudged(error.why, evidence) from None
    return ours, theirs


def _growth(before: float, now: float) -> str:
    """Return by how much a cost changed."""
    if before == now:
        return "the same"
    return f"{now / before - 1:+.0%}" if before else "all of the"


def _percent(share: float) -> str:
    return f"+{share * 100:.6g}%"


def _brief(value: float) -> float:
    """Return a sum without the last bits, which depend on the order of its parts."""
    return float(f"{value:.10g}")
