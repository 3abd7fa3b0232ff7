"""`shift: {path, against, psi, wasserstein, variation}`: columns against the last accepted ones."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlxkit.core.errors import MlxError
from mlxkit.data.rows.kinds import EMPTY
from mlxkit.data.rows.read import ReadColumn
from mlxkit.gates.context import Context, Subject
from mlxkit.gates.tables import Table, is_number, opened, shown_type
from mlxkit.gates.verdict import Verdict, shown

if TYPE_CHECKING:
    from mlxkit.gates.distributions import Effect

Settings = Mapping[str, Any]
_LARGEST = 1e9
"""Stands for an infinite effect: verdicts hold finite numbers."""
_DRAWN = 10
"""Only so many columns are figures of a verdict: those that moved most."""
_MEASURES = {
    "psi": "population stability index",
    "wasserstein": "Wasserstein distance",
    "variation": "total variation",
}


def check(settings: Settings, context: Context) -> list[Verdict]:
    """Hold each column to how much it may have moved; raises Unjudged, MlxError."""
    path = settings["path"]
    base = _base(settings, context)
    if base is None:
        return [_first(settings, context)]
    with opened((base, path), (context.subject, path)) as (before, now):
        evidence = {**before.evidence, **now.evidence}
        before.rows(), now.rows()
        if len(set(evidence.values())) == 1:
            why = f"{now.place} is the same as in {base.name}"
            return [Verdict("shift", "pass", why, "shift", evidence=evidence)]
        effects = _effects(settings, before, now)
    return [
        _verdict(settings, measure, found, base.name)._replace(evidence=evidence)
        for measure in _MEASURES
        if (found := [one for one in effects if one.measure == measure])
    ]


def _base(settings: Settings, context: Context) -> Subject | None:
    if settings["against"] is not None:  # only then may the user's base take its place
        return context.against(settings)
    return context.accepted(context.name, settings["path"])


def _first(settings: Settings, context: Context) -> Verdict:
    """Judge the first version: there is nothing to compare it with."""
    with opened((context.subject, settings["path"])) as (table,):
        table.rows()
    why = f"gate {context.name} has not accepted any version of {table.place} before"
    if settings["first"] == "pass":
        why += ": the first one passes here"
        return Verdict("shift", "pass", why, "shift", evidence=table.evidence)
    why += (
        f"; look at it, then: mlx gate {context.name} --override --reason TEXT, or say first: pass"
    )
    return Verdict("shift", "fail", why, "shift", evidence=table.evidence)


def _effects(settings: Settings, before: Table, now: Table) -> list["Effect"]:
    try:
        from mlxkit.gates.distributions import effects_of
    except ImportError:
        raise MlxError(
            "this gate has a rule about shift, which needs numpy",
            hint="run: pip install 'mlxkit[gates]'",
        ) from None
    pairs = _pairs(settings, before, now)
    return [one for pair in pairs for one in effects_of(before, now, pair, settings["bins"])]


def _pairs(
    settings: Settings, before: Table, now: Table
) -> list[tuple[ReadColumn, ReadColumn]]:  # fmt: skip
    """Return the columns to compare; raises Unjudged where they are not the same ones."""
    left_out = settings["leave_out"]
    if settings["columns"] is None:
        for what, some, others in (("has lost", before, now), ("has the new", now, before)):
            for name in some.columns:
                if name not in others.columns and name not in left_out:
                    raise now.unjudged(
                        f"{what} column '{name}' since {before.place}: leave it out, or say columns"
                    )
    known = [one for one in left_out if one not in before.columns or one in now.columns]
    found = []
    for one in now.chosen(settings["columns"], known):
        other = before.column(one.name)
        if EMPTY not in (one.type, other.type) and is_number(one) != is_number(other):
            told = f"has {shown_type(one)} in {one.name}"
            raise now.unjudged(f"{told}, {before.place} has {shown_type(other)}")
        found.append((other, one))
    return found


def _verdict(
    settings: Settings, measure: str, effects: Sequence["Effect"], name: str
) -> Verdict:  # fmt: skip
    """Judge the column that moved most; all others moved less."""
    ranked = sorted(effects, key=lambda one: (-one.size, one.column))
    worst, most = ranked[0], settings[measure]
    moved = [one.column for one in ranked if not one.size <= most]
    others = f", and {len(moved) - 1} more columns: {', '.join(moved[1:4])}" if moved[1:] else ""
    why = (
        f"{_MEASURES[measure]} against {name}: {worst.column} {_size(worst.size, most)}, "
        f"maximum {shown(most)}{others}{', ...' if moved[4:] else ''}"
    )
    figures = {one.column: float(f"{min(one.size, _LARGEST):.10g}") for one in ranked[:_DRAWN]}
    return Verdict(
        "shift", "fail" if moved else "pass", why, f"{measure} of {worst.column}",
        figures[worst.column], most, figures=figures,
    )  # fmt: skip


def _size(size: float, most: float) -> str:
    """Return a size for people; what was all alike before has moved without end."""
    return "without end" if size >= _LARGEST else shown(size, most)
