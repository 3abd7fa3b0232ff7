"""Predictions of two models as numbers to measure, for the same rows with the same labels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxkit.data.rows.compare import unified
from mlxkit.data.rows.read import ReadColumn
from mlxkit.gates.measures import Floats
from mlxkit.gates.tables import Table, equals, is_number, null, shown_type
from mlxkit.gates.verdict import Unjudged

Settings = Mapping[str, Any]
_SCORES = ("roc_auc", "average_precision", "log_loss", "brier")
_PROBABILITIES = ("log_loss", "brier")
_ANY_CLASSES = ("accuracy", "balanced_accuracy")
_NUMBERS = ("mae", "rmse", "r2")


def same_rows(ours: Table, theirs: Table, settings: Settings) -> tuple[Floats, Floats, Floats]:
    """Return the labels and both models' predictions (rows,), as measures take them.

    Raises Unjudged where the rows or labels are not the same, and for cells that are none.
    """
    tables = (ours, theirs)
    for table in tables:
        table.rows()
        _check(table, settings)
    if settings["id"] is not None:
        _compare("the ids are not the same", *_columns(tables, settings["id"], settings))
    labels = _columns(tables, settings["label"], settings)
    _compare("the labels of the same rows are not the same", *labels)
    if settings["metric"] in _ANY_CLASSES and settings["threshold"] is None:
        return _classes(tables, settings)
    numbers = [_numbers(table, settings) for table in tables]
    return numbers[0][0], numbers[0][1], numbers[1][1]


def _check(table: Table, settings: Settings) -> None:
    """Refuse empty cells, ids that come twice, and scores that are none."""
    wanted = [settings[key] for key in ("id", "label", "score") if settings[key] is not None]
    for name in wanted:
        (empty,) = table.row([f"count(*) FILTER ({null(table.column(name))})"])
        if empty:
            raise table.unjudged(f"has {empty} rows without {name}")
    if settings["id"] is not None:
        one = table.column(settings["id"])
        (twice,) = table.row([f"count(*) - count(DISTINCT {one.id})"])
        if twice:
            raise table.unjudged(f"has {twice} rows whose {one.name} another row has, too")
    metric, score = settings["metric"], table.column(settings["score"])
    if metric in _NUMBERS:
        _want_numbers(table, table.column(settings["label"]))
    if metric in (*_SCORES, *_NUMBERS) or settings["threshold"] is not None:
        _want_numbers(table, score)
    elif is_number(score):
        (broken,) = table.row([f"count(*) FILTER ({score.id} <> round({score.id}))"])
        if broken:
            raise table.unjudged(f"has scores in {score.name}, not classes: give a threshold")
    if metric in _PROBABILITIES:
        (outside,) = table.row([f"count(*) FILTER ({score.id} NOT BETWEEN 0 AND 1)"])
        if outside:
            raise table.unjudged(f"has {outside} rows with {score.name} not between 0 and 1")


def _want_numbers(table: Table, one: ReadColumn) -> None:
    if not is_number(one):
        raise table.unjudged(f"has no numbers in {one.name}: it is {shown_type(one)}")
    (infinite,) = table.row([f"count(*) FILTER (isinf(CAST({one.id} AS DOUBLE)))"])
    if infinite:
        raise table.unjudged(f"has {infinite} infinite values in {one.name}")


def _numbers(table: Table, settings: Settings) -> tuple[Floats, Floats]:
    """Return labels and predictions of one table; labels of classes as 0 and 1."""
    label, score = table.column(settings["label"]), table.column(settings["score"])
    if settings["metric"] in _NUMBERS:
        found = _fetch(table, [f"CAST({one.id} AS DOUBLE)" for one in (label, score)], settings)
        return found[0], found[1]
    positive, told = equals(label, settings["positive"])
    values = [told]
    if settings["threshold"] is not None:
        predicted = f"CAST({score.id} AS DOUBLE) >= {float(settings['threshold'])!r}"
    elif settings["metric"] in _SCORES:
        predicted = score.id
    else:
        predicted, also = equals(score, settings["positive"])
        values.append(also)
    cells = [f"CAST({one} AS DOUBLE)" for one in (positive, predicted)]
    truth, found_score = _fetch(table, cells, settings, *values)
    if not truth.any():
        raise table.unjudged(f"has no row with {label.name} = {settings['positive']!r}")
    return truth, found_score


def _classes(
    tables: tuple[Table, Table], settings: Settings
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Return labels and predicted classes as codes, the same ones for all three."""
    names = (settings["label"], settings["score"])
    columns = [table.column(name) for table in tables for name in names]
    kind = unified(unified(columns[0].type, columns[1].type), columns[3].type)
    cells = [f"CAST(CAST({one.id} AS {kind}) AS VARCHAR)" for one in columns]
    label, ours = _fetch(tables[0], cells[:2], settings)
    theirs = _fetch(tables[1], cells[3:], settings)[0]
    known = set(label.tolist())
    for table, found in zip(tables, (ours, theirs), strict=True):
        if known.isdisjoint(found.tolist()):
            raise table.unjudged(f"has no label of {names[0]} in {names[1]}: not its classes")
    codes = np.unique(np.concatenate([label, ours, theirs]), return_inverse=True)[1]
    first, second, third = np.split(codes.astype(np.float64), 3)
    return first, second, third


def _columns(tables: tuple[Table, Table], name: str, settings: Settings) -> list[NDArray[Any]]:
    """Return a column of both tables, in one type."""
    one, other = (table.column(name) for table in tables)
    kind = unified(one.type, other.type)
    kind = "DOUBLE" if kind.startswith("DECIMAL") else kind
    return [
        _fetch(table, [f"CAST({column.id} AS {kind})"], settings)[0]
        for table, column in zip(tables, (one, other), strict=True)
    ]


def _compare(what: str, one: NDArray[Any], other: NDArray[Any]) -> None:
    if len(one) != len(other):
        raise Unjudged(f"the rows are not the same: {len(one)} here, {len(other)} there")
    different = int(np.count_nonzero(one != other))
    if different:
        raise Unjudged(f"{what}: {different} of {len(one)} differ")


def _fetch(table: Table, cells: list[str], settings: Settings, *values: Any) -> list[NDArray[Any]]:
    """Return columns in the order of ids, without ids in that of the file."""
    order = ""
    if settings["id"] is not None:
        order = f" ORDER BY {table.column(settings['id']).id}"
    named = ", ".join(f"{cell} AS v{at}" for at, cell in enumerate(cells))
    found = table.con.execute(f"SELECT {named} FROM {table.view}{order}", list(values)).fetchnumpy()
    return [np.ma.getdata(found[f"v{at}"]) for at in range(len(cells))]
