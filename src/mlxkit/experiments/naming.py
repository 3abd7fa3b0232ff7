"""The column that a user means by a name: in full, `FILE:NAME`, or the end of either."""

import difflib
from collections.abc import Container, Sequence

from mlxkit.core.errors import UsageError
from mlxkit.experiments.table import Column

_LISTED = 10


def is_column(every: Sequence[Column], name: str) -> bool:
    """Tell whether a name stands for a column."""
    return bool(_fitting([one for one in every if one.kind != "deps"], name))


def find_column(
    every: Sequence[Column], name: str, option: str, models: Container[str] = ()
) -> Column:
    """Return the column that a name stands for: `FILE:NAME`, a name, or the end of either.

    Of several that in one of the `models`' files is meant. Raises UsageError for none, and for
    several.
    """
    known = [one for one in every if one.kind != "deps"]
    found = _fitting(known, name)
    if len(found) > 1:
        # What competes in the leaderboard is what a project is about.
        found = [one for one in found if one.path in models] or found
    if len(found) == 1:
        return found[0]
    if found:
        raise _several(found, name, option)
    names = {one.name for one in known}
    ends = {one.rpartition(".")[2] for one in names}
    near = difflib.get_close_matches(name.rpartition(":")[2], names | ends, n=3, cutoff=0.5)
    there = ", ".join(near or sorted(names)[:6])
    raise UsageError(
        f"{option}: there is no metric or parameter '{name}'",
        hint=f"did you mean {there}?" if near else f"there are: {there or 'none'}",
    )


def _several(found: Sequence[Column], name: str, option: str) -> UsageError:
    # Whole names first: what is nested deeply is rarely meant.
    listed = sorted(found, key=lambda one: (one.name.count("."), one.full))
    lines = [f"  {one.full}" for one in listed[:_LISTED]]
    if len(found) > _LISTED:
        lines.append(f"  and {len(found) - _LISTED} more")
    return UsageError(
        "\n".join([f"{option}: '{name}' stands for several:", *lines]),
        hint=f"write FILE:NAME, the end of the file's path will do: {_shortest(listed[0], found)}",
    )


def _shortest(one: Column, others: Sequence[Column]) -> str:
    """Return `FILE:NAME` with as little of the file's path as tells it from the others."""
    parts = one.path.split("/")
    ends = ["/".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
    paths = {other.path for other in others if other.path != one.path}
    end = next((end for end in ends if not any(_ends_with(path, end) for path in paths)), one.path)
    return f"{end}:{one.name}"


def _fitting(known: Sequence[Column], name: str) -> list[Column]:
    """Return the columns of that name; else those whose name, or file, ends so."""
    whole = [one for one in known if name in (one.full, one.name, f":{one.name}")]
    if whole:
        return whole
    parts = [one for one in known if one.name.endswith(f".{name}")]
    if parts or ":" not in name:
        return parts or [one for one in known if one.full.endswith(f"/{name}")]
    below = [
        (one, name.removesuffix(f":{end}"))
        for one in known
        for end in _name_ends(one.name)
        if name.endswith(f":{end}")
    ]
    found = [one for one, file in below if _ends_with(one.path, file)]
    return [one for one in found if name.endswith(f":{one.name}")] or found


def _name_ends(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[at:]) for at in range(len(parts))]


def _ends_with(path: str, end: str) -> bool:
    return path == end or path.endswith(f"/{end}")
