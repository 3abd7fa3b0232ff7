"""What `mlx exp show` answers, in each of its forms; may be asked again and again."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from mlxkit.pipeline.session import Session


class Asked(NamedTuple):
    """What the user asked to see; `wanted` and `options` are those of experiments.show."""

    wanted: Any
    options: Any
    choice: Any
    filter: str = ""
    sort_by: str = ""
    order: str = ""
    everything: bool = False
    precision: int | None = None


def document(session: Session, asked: Asked) -> list[dict[str, Any]]:
    """Return DVC's document; filtered and sorted, where that was asked."""
    from mlxkit.experiments import show

    found = show.collect(session, asked.wanted, asked.options)
    if not asked.filter and not asked.sort_by:
        return found
    groups, _ = _arranged(session, found, asked)
    for entry, group in zip(found, groups, strict=True):
        kept = [one.rev for one in group if one.kind == "experiment"]
        by_rev = {one["revs"][0]["rev"]: one for one in entry["experiments"] or ()}
        entry["experiments"] = [by_rev[rev] for rev in kept] or None
    return found


def drawing(session: Session, asked: Asked, width: int | None) -> Any:
    """Return the table as it is now (lines and notes); to be called again and again."""
    from mlxkit.cli.exp_table import View, draw
    from mlxkit.experiments import show
    from mlxkit.metrics.importance import load_interest
    from mlxkit.metrics.preferences import load_preferences

    found = show.collect(session, asked.wanted, asked.options, data=asked.everything)
    groups, pinned = _arranged(session, found, asked)
    return draw(
        groups,
        View(
            None if asked.everything else width,
            asked.everything,
            asked.choice,
            pinned,
            asked.precision or 5,
            load_preferences(session.root),
            load_interest(session.root),
        ),
    )


def csv_text(session: Session, asked: Asked) -> str:
    """Return the table as DVC's CSV."""
    from mlxkit.experiments import show
    from mlxkit.experiments.forms import as_csv

    found = show.collect(session, asked.wanted, asked.options)
    return as_csv(_arranged(session, found, asked)[0], asked.choice, asked.precision)


def markdown_text(session: Session, asked: Asked) -> str:
    """Return the table as GitHub reads it."""
    from mlxkit.cli.diff_blocks import Block, as_markdown
    from mlxkit.experiments import show
    from mlxkit.experiments.forms import cells

    found = show.collect(session, asked.wanted, asked.options)
    groups, _ = _arranged(session, found, asked)
    choice = asked.choice._replace(drop=(*asked.choice.drop, "(Experiment|rev|typ|parent)$"))
    header, rows = cells(groups, choice, asked.precision or 5, "-")
    names = [row.label for group in groups for row in group]
    table = [[name, *row] for name, row in zip(names, rows, strict=True)]
    return as_markdown([Block("", ["Experiment", *header], table)]).strip()


def _arranged(
    session: Session, found: list[dict[str, Any]], asked: Asked
) -> tuple[list[list[Any]], Sequence[Any]]:
    """Return the rows, filtered and sorted; and the columns that this was done by."""
    from mlxkit.experiments.filter import Filter
    from mlxkit.experiments.naming import find_column, is_column
    from mlxkit.experiments.table import by_column, columns, read
    from mlxkit.metrics.importance import load_interest
    from mlxkit.metrics.preferences import load_preferences, preference_of

    groups = read(found)
    if not asked.sort_by and not asked.filter:
        return groups, ()
    every = columns(groups)
    models = load_interest(session.root).files
    pinned = []
    if asked.sort_by:
        column = find_column(every, asked.sort_by, "--sort-by", models)
        pinned.append(column)
        better = preference_of(column.name, load_preferences(session.root)).better
        by_default = column.kind == "metrics" and better == "higher"
        descending = asked.order == "desc" if asked.order else by_default
        groups = [by_column(group, column, descending=descending) for group in groups]
    if asked.filter:
        condition = Filter(asked.filter)
        # `name` is the experiment's own, if nothing else has that name.
        asked_for = {one for one in condition.names if one != "name" or is_column(every, one)}
        named = {one: find_column(every, one, "--filter", models) for one in sorted(asked_for)}
        pinned += [one for one in named.values() if one not in pinned]
        groups = [
            [
                row
                for row in group
                if row.kind != "experiment"
                or condition.holds(
                    {"name": row.name} | {name: row.known(one) for name, one in named.items()}
                )
            ]
            for group in groups
        ]
    return groups, pinned
