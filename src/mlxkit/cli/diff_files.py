"""Shows which tracked files differ: DVC's JSON and Markdown, a list for people, a page."""

from collections.abc import Sequence
from typing import Any

from mlxkit.cli import terminal
from mlxkit.cli.diff_blocks import Block, github_table, printable
from mlxkit.data.diff.files import Change, Diff

_COLOURS = {
    "added": "green",
    "deleted": "red",
    "renamed": "green",
    "modified": "yellow",
    "not in cache": "yellow",
}


def groups(found: Diff, *, hide_missing: bool) -> dict[str, list[Change]]:
    """Return the changes by DVC's names, in the order in which it shows them."""
    named = {
        "added": found.added,
        "deleted": found.deleted,
        "renamed": found.renamed,
        "modified": found.modified,
    }
    return named if hide_missing else {**named, "not in cache": found.missing}


def document(found: Diff, *, show_hash: bool, hide_missing: bool) -> dict[str, Any]:
    """Return DVC's JSON document; nothing at all where nothing differs."""
    named = groups(found, hide_missing=hide_missing)
    if not found.differs and not found.missing:
        return {}
    order = ["added", "deleted", "modified", "renamed", "not in cache"]
    return {
        kind: [_entry(kind, one, show_hash) for one in named[kind]]
        for kind in order
        if kind in named
    }


def _entry(kind: str, one: Change, show_hash: bool) -> dict[str, Any]:
    path = {"old": one.old_path, "new": one.path} if kind == "renamed" else one.path
    if not show_hash:
        return {"path": path}
    old, new = (part.md5 if part is not None else None for part in (one.old, one.new))
    digest = {"old": old, "new": new} if kind == "modified" else (old or new)
    return {"path": path, "hash": digest}


def markdown(found: Diff, *, show_hash: bool, hide_missing: bool) -> str:
    """Return DVC's table."""
    header = ["Status", "Hash", "Path"] if show_hash else ["Status", "Path"]
    rows = [
        [kind, _digest(kind, one), _path(one)] if show_hash else [kind, _path(one)]
        for kind, changes in groups(found, hide_missing=hide_missing).items()
        for one in changes
    ]
    return github_table(header, rows)


def text(found: Diff, *, show_hash: bool, hide_missing: bool) -> list[str]:
    """Return the lines for a terminal: each kind with its paths and sizes, then how many."""
    lines = []
    for kind, changes in groups(found, hide_missing=hide_missing).items():
        if not changes:
            continue
        lines.append(terminal.styled(f"{kind.capitalize()}:", _COLOURS[kind]))
        for one in changes:
            digest = f"{_digest(kind, one)}  " if show_hash else ""
            size = _size(kind, one)
            shown = f"    {digest}{printable(_path(one))}"
            lines.append(f"{shown}  {terminal.styled(size, 'dim')}" if size else shown)
        lines.append("")
    lines.append(f"files: {summary(found, hide_missing=hide_missing)}")
    return lines


def summary(found: Diff, *, hide_missing: bool) -> str:
    """Return how many files there are of each kind; directories do not count."""
    counts = {
        kind: sum(not one.path.endswith("/") for one in changes)
        for kind, changes in groups(found, hide_missing=hide_missing).items()
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "none"


def blocks(found: Diff, *, hide_missing: bool) -> Sequence[Block]:
    """Return the tables of a page."""
    named = groups(found, hide_missing=hide_missing)
    shown = [Block("", lines=[f"files: {summary(found, hide_missing=hide_missing)}"])]
    for kind, changes in named.items():
        rows = [[_path(one), _digest(kind, one), _size(kind, one)] for one in changes]
        if rows:
            header = ["path", "digest", "size"]
            shown.append(Block(kind.capitalize(), header, rows, (), frozenset({2})))
    return shown


def _path(one: Change) -> str:
    return f"{one.old_path} -> {one.path}" if one.old_path is not None else one.path


def _digest(kind: str, one: Change) -> str:
    old, new = (part.md5[:8] if part is not None else "" for part in (one.old, one.new))
    return f"{old}..{new}" if kind == "modified" else (old or new)


def _size(kind: str, one: Change) -> str:
    sizes = (one.old_size, one.new_size)
    old, new = (terminal.size(part) if part is not None else "" for part in sizes)
    if kind == "modified" and old and new:
        return old if one.old_size == one.new_size else f"{old} -> {new}"
    return new or old
