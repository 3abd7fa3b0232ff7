"""Which two revisions are compared, what is judged, and how to see all of it."""

import shlex

from mlxkit.core.words import counted
from mlxkit.reports.changes import End, Report
from mlxkit.reports.outline import Cell, Code

_SHOWN = 12


def sides(report: Report) -> list[Cell]:
    """Return what is to be said below the verdict line."""
    told = _end(report.head)
    if report.head.commit is None:
        count = counted(len(report.head.dirty), "file")
        told = [f"What is judged is the working tree, not yet committed ({count} changed),"]
    against = [" against ", *_end(report.base)] if report.base is not None else []
    return [[*told, *against, "."], *(f"Note: {one}." for one in report.notes)]


def command(report: Report) -> str:
    """Return the command that shows everything."""
    words = ["mlx", "report"]
    if report.base is not None and report.base.commit is not None:
        words += ["--base", report.base.commit[:_SHOWN]]
    if report.head.commit is not None:
        words += ["--rev", report.head.commit[:_SHOWN]]
    return shlex.join([*words, "--format", "html", "-o", "report.html"])


def revisions(report: Report) -> str:
    """Return both sides as arguments of commands that compare."""
    commits = [one.commit for one in (report.base, report.head) if one is not None]
    return " ".join(one[:_SHOWN] for one in commits if one is not None)


def _end(one: End) -> list[str]:
    if one.commit is None:
        return [one.name]
    subject = f" {one.subject}" if one.subject else ""
    named = [] if one.commit.startswith(one.name) else [Code(one.name), " "]
    return [*named, "(", Code(one.commit[:7]), f"{subject})"]
