"""`mlx cost`: what the runs on record cost, by stage, run, model or commit."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.tables import show_rows
from mlxkit.cli.terminal import printable
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.pipeline.session import Session
from mlxkit.runs.choose import made_on, project_of, project_records, read_time, since
from mlxkit.runs.cost import Cost, grouped, total
from mlxkit.runs.models import models_by_stage
from mlxkit.runs.prices import Prices, load_prices
from mlxkit.runs.record import SHOWN, Record
from mlxkit.tools import git
from mlxkit.versions.find import commit_named

app = new_app()

NONE = "-"
TITLES = ("runs", "failed", "time", "CPU", "GPU", "memory", "read", "written")
SPARE = ("read", "written", "memory", "failed", "GPU", "CPU")
"""Columns that a narrow terminal does without, in this order."""


class By(StrEnum):
    """What to sum up by."""

    stage = "stage"
    run = "run"
    model = "model"
    commit = "commit"


@app.command()
def cost(
    rev: Annotated[
        str, typer.Argument(metavar="[REV]", help="Only runs made on REV's history, or on A..B.")
    ] = "",
    by: Annotated[By, typer.Option("--by", help="What to sum up by.")] = By.stage,
    begin: Annotated[
        str, typer.Option("--since", metavar="TIME", help="Only runs since, like '2 weeks ago'.")
    ] = "",
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Sum up what the runs on record cost: time, processors, memory, data, and what you pay.

    Prices are those of `cost` in mlx.yaml. A run that failed costs, too.

    Example: mlx cost --by model --since '1 month ago'
    """
    with reading() as session:
        if session.git_root is None:
            raise ProjectError("without Git no runs are on record", hint="start with: git init")
        prices = load_prices(session.root)
        records = project_records(session.root, session.git_root)
        if begin:
            records = since(records, read_time(begin, datetime.now().astimezone()))
        if rev:
            records = made_on(records, session.git_root, _commits(session, session.git_root, rev))
        groups = grouped(records, prices, _key(by, session, records))
    in_order = dict(sorted(groups.items(), key=lambda item: -_weight(item[1])))
    found = dict(reversed(groups.items())) if by is By.run else in_order
    if as_json:
        terminal.write_json(_document(by, found, prices))
    elif not quiet:
        _show(by, found, records, prices, session.git_root)
    return 0


def _commits(session: Session, git_root: str, rev: str) -> str:
    """Return a revision, or a range, with commits for the versions and stages of models in it."""
    folder = project_of(session.root, git_root)
    parts = re.split(r"(\.\.\.?)", rev)
    return "".join(
        (commit_named(git_root, one, folder) if "@" in one or "#" in one else None) or one
        for one in parts
    )


def _key(
    by: By, session: Session, records: Mapping[str, Record]
) -> Callable[[str, Record], str | None]:
    if by is By.run:
        return lambda name, _: name
    if by is By.commit:
        return lambda _, record: record.commit
    if by is By.stage:
        return lambda _, record: record.stage
    assert session.git_root is not None
    project = project_of(session.root, session.git_root)
    models = models_by_stage(session.declared, records.values(), session.git_root, project)
    return lambda _, record: models.get(record.stage)


def _weight(cost: Cost) -> float:
    return cost.price if cost.price else cost.seconds


def _document(by: By, groups: Mapping[str | None, Cost], prices: Prices | None) -> dict[str, Any]:
    return {
        "by": by.value,
        "currency": (prices.currency or None) if prices is not None else None,
        "groups": [{"name": name, **one._asdict()} for name, one in groups.items()],
        "total": total(groups.values())._asdict(),
    }


def _show(
    by: By,
    groups: Mapping[str | None, Cost],
    records: Mapping[str, Record],
    prices: Prices | None,
    git_root: str,
) -> None:
    if not groups:
        terminal.write("no runs are on record")
        terminal.note("hint: mlx repro records what it runs; mlx fetch brings what others ran")
        return
    names = _names(by, groups, records, git_root)
    everything = total(groups.values())
    rows = [_row(printable(names[name]), one, prices) for name, one in groups.items()]
    if len(rows) > 1:
        rows.append(_row("total", everything, prices))
    money = [prices.currency or "price"] if prices is not None else []
    table = _without_empty([[by.value, *TITLES, *money], *rows])
    show_rows(table, [table[0].index(one) for one in SPARE if one in table[0]])
    _remarks(everything, prices)


def _without_empty(rows: list[list[str]]) -> list[list[str]]:
    """Leave out the columns that nothing is known of."""
    kept = [
        column for column in range(len(rows[0])) if any(row[column] != NONE for row in rows[1:])
    ]
    return [[row[column] for column in kept] for row in rows]


def _row(name: str, one: Cost, prices: Prices | None) -> list[str]:
    told = [
        name,
        str(one.runs) + (f" (+{one.restored})" if one.restored else ""),
        str(one.failed or NONE),
        terminal.duration(one.seconds),
        _told(one.cpu_seconds, terminal.duration),
        _told(one.gpu_seconds, terminal.duration),
        _told(one.peak_memory, terminal.size),
        _told(one.read_bytes, terminal.size),
        _told(one.written_bytes, terminal.size),
    ]
    return told if prices is None else [*told, _money(one.price)]


def _money(price: float | None) -> str:
    """Return a price with two digits; of a very small one, two that say something."""
    if not price:
        return "0.00"
    return f"{price:.2f}" if price >= 0.095 else f"{price:.2g}"


def _told(value: float | None, words: Callable[[float], str]) -> str:
    return NONE if value is None else words(value)


def _names(
    by: By, groups: Mapping[str | None, Cost], records: Mapping[str, Record], git_root: str
) -> dict[str | None, str]:
    if by is By.run:
        return {
            name: f"{name[:SHOWN]} {records[name].stage}"
            + ("" if records[name].outcome == "ran" else f" ({records[name].outcome})")
            for name in groups
            if name is not None
        }
    if by is By.commit:
        subjects = _subjects(git_root, [name for name in groups if name is not None])
        return {name: _commit_name(name, subjects) for name in groups}
    return {name: name or f"(no {by.value})" for name in groups}


def _commit_name(name: str | None, subjects: Mapping[str, str]) -> str:
    if name is None:
        return "(no commit)"
    subject = subjects.get(name, "")
    return f"{name[:8]} {subject[:30]}".rstrip()


def _subjects(git_root: str, commits: list[str]) -> dict[str, str]:
    """Return the first lines of the commits' messages, of those that are there."""
    if not commits:
        return {}
    try:
        told = git.run(
            git_root, "log", "--no-walk=unsorted", "--ignore-missing", "--format=%H %s", *commits
        )
    except MlxError:
        return {}
    lines = [line.partition(" ") for line in told.decode(errors="replace").splitlines()]
    return {name: subject for name, _, subject in lines}


def _remarks(everything: Cost, prices: Prices | None) -> None:
    if everything.failed:
        lost = terminal.duration(everything.failed_seconds)
        money = ""
        if prices is not None:
            money = f", {_money(everything.failed_price)} {prices.currency}".rstrip()
        failed = terminal.counted(everything.failed, "failed run")
        terminal.write(f"of it for {failed}: {lost}{money}")
    if everything.restored:
        terminal.write(f"(+N) were restored from the cache: {everything.restored} in all")
    if everything.unmeasured:
        terminal.note(f"{terminal.counted(everything.unmeasured, 'run')} not measured: time only")
    if prices is None:
        terminal.note("hint: for prices, add to mlx.yaml: cost: {currency: EUR, cpu_hour: 0.05}")
