"""`data: {path, rows, nulls, ranges, label, duplicates}`: what a table must be like."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlxkit.gates.context import Context
from mlxkit.gates.tables import Table, comparable, equals, is_number, null, opened, shown_type
from mlxkit.gates.verdict import Unjudged, Verdict, Word, shown

Settings = Mapping[str, Any]


def check(settings: Settings, context: Context) -> list[Verdict]:
    """Hold a recorded table to its limits; raises Unjudged, MlxError where it is not here."""
    with opened((context.subject, settings["path"])) as (table,):
        rows = table.rows()
        found = []
        if settings["nulls"] is not None:
            found += _nulls(table, rows, settings["nulls"])
        for what, judge, *asked in _checks(settings, table):
            try:
                found.append(judge(table, rows, *asked))
            except Unjudged as error:
                found.append(Verdict("data", "fail", error.why, what))
        return [one._replace(evidence=table.evidence) for one in found]


def _checks(settings: Settings, table: Table) -> Iterator[tuple[Any, ...]]:
    """Yield the name of each check, what does it, and what that takes besides the table."""
    if settings["rows"] is not None:
        yield "rows", _rows, settings["rows"]
    for name, limits in (settings["ranges"] or {}).items():
        yield f"range of {name}", _range, name, limits
    if settings["label"] is not None:
        unlabelled = settings["label"]["column"] in (settings["nulls"] or {})
        yield "label", _label, settings["label"], unlabelled
    if settings["duplicates"] is not None:
        yield "duplicates", _duplicates, settings["duplicates"]


def _by_column(nulls: Mapping[str, float], table: Table) -> dict[str, float]:
    """Give `*` to each column that is not named, unless there is one of that name."""
    if "*" not in nulls or "*" in table.columns:
        return dict(nulls)
    named = {name: most for name, most in nulls.items() if name != "*"}
    return {**named, **{one: nulls["*"] for one in table.columns if one not in named}}


def _rows(table: Table, rows: int, limits: Mapping[str, float | None]) -> Verdict:
    return _within("rows", float(rows), limits, f"{table.place} has {rows} rows")


def _nulls(table: Table, rows: int, told: Mapping[str, float]) -> list[Verdict]:
    """Return a verdict for each column with too many empty cells; one for all where none has."""
    limits = _by_column(told, table)
    if not limits:
        raise table.unjudged("has no columns")
    known = [name for name in limits if name in table.columns]
    counts = table.row(
        [f"count(*) FILTER ({null(table.columns[name])})" for name in known] or ["0"]
    )
    shares = {name: count / rows for name, count in zip(known, counts, strict=False)}
    found = []
    for name, most in limits.items():
        what = f"nulls of {name}"
        if name not in shares:
            found.append(Verdict("data", "fail", table.lacks(name), what))
        elif shares[name] > most:
            why = f"{name} is empty in {round(shares[name] * rows)} of {rows} rows"
            found.append(_within(what, shares[name], {"min": None, "max": most}, why))
    if found:
        return found
    worst = max(known, key=lambda name: shares[name])
    one = f"none of {len(known)} columns is" if len(known) > 1 else f"{worst} is"
    more = "more than " if len(known) > 1 else ""
    why = f"{one} empty in {more}{round(shares[worst] * rows)} of {rows} rows"
    limit = {"min": None, "max": limits[worst]}
    figures = {name: share for name, share in shares.items() if share}
    return [_within("nulls", shares[worst], limit, why)._replace(figures=figures)]


def _range(table: Table, rows: int, name: str, limits: Mapping[str, float | None]) -> Verdict:
    one, what = table.column(name), f"range of {name}"
    if not is_number(one):
        raise table.unjudged(f"has no numbers in {name}: it is {shown_type(one)}")
    number = f"CAST({one.id} AS DOUBLE)"
    low, high, infinite = table.row(
        [f"{each}({number}) FILTER (NOT {null(one)})" for each in ("min", "max")]
        + [f"count(*) FILTER (isinf({number}))"]
    )
    if low is None:
        raise table.unjudged(f"has no value in {name}")
    if infinite:
        raise table.unjudged(f"has {infinite} infinite values in {name}")
    wrong = []
    for limit, sign, value in ((limits["min"], -1, low), (limits["max"], 1, high)):
        if limit is not None and sign * (value - limit) > 0:
            outside = f"NOT {null(one)} AND {number} {'>' if sign > 0 else '<'} ?"
            (count,) = table.row([f"count(*) FILTER ({outside})"], limit)
            side, end = ("above", "highest") if sign > 0 else ("below", "lowest")
            are = "value of {} is" if count == 1 else "values of {} are"
            text = f"{count} {are.format(name)} {side} {shown(limit)}, the {end} {shown(value)}"
            wrong.append(Verdict("data", "fail", text, what, value, limit))
    figures = {"min": low, "max": high}
    if not wrong:
        why = f"{name} is from {shown(low)} to {shown(high)}{_limits(limits)}"
        return Verdict("data", "pass", why, what, low, limits["min"], figures=figures)
    return wrong[0]._replace(why="; ".join(one.why for one in wrong), figures=figures)


def _label(table: Table, rows: int, told: Settings, unlabelled: bool) -> Verdict:
    """Hold the share of a label among the rows that have one."""
    one = table.column(told["column"])
    same, value = equals(one, told["value"])
    count, empty = table.row([f"count(*) FILTER ({same})", f"count(*) FILTER ({null(one)})"], value)
    if empty and not unlabelled:
        raise table.unjudged(
            f"has {empty} rows without {told['column']}: allow them with nulls, or leave them out"
        )
    if not count:
        raise table.unjudged(f"has no row with {told['column']} = {told['value']!r}")
    why = f"{count} of {rows - empty} rows have {told['column']} = {told['value']!r}"
    return _within("label", count / (rows - empty), told["share"], why)


def _duplicates(table: Table, rows: int, told: Settings) -> Verdict:
    columns = table.chosen(told["columns"], told["leave_out"])
    cells = ", ".join(comparable(one) for one in columns)
    (found,) = table.con.execute(
        f"SELECT count(*) FROM (SELECT DISTINCT {cells} FROM {table.view})"
    ).fetchone() or (0,)
    count = rows - found
    why = f"{count} of {rows} rows repeat an earlier one"
    return _within("duplicates", count / rows, {"min": None, "max": told["max"]}, why)


def _within(what: str, value: float, limits: Mapping[str, float | None], why: str) -> Verdict:
    """Hold a number to its limits, both of them good themselves."""
    least, most = limits["min"], limits["max"]
    low = least is not None and value < least
    high = most is not None and value > most
    word: Word = "fail" if low or high else "pass"
    share = f" ({shown(value)})" if what != "rows" else ""
    limit = least if low or most is None else most
    return Verdict("data", word, f"{why}{share}{_limits(limits)}", what, value, limit)


def _limits(limits: Mapping[str, float | None]) -> str:
    words = (("minimum", limits["min"]), ("maximum", limits["max"]))
    return "".join(f", {word} {shown(limit)}" for word, limit in words if limit is not None)
