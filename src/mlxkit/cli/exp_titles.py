"""Titles of columns that are as short as can be told apart."""

from collections import Counter
from collections.abc import Iterable, Sequence

from mlxkit.experiments.table import Column


def short_titles(
    wanted: Sequence[Column], every: Sequence[Column] = ()
) -> dict[Column, tuple[str, str]]:
    """Return for each column its file, where its name alone does not tell, and its name.

    The name is the shortest end of it that no other column has. A metric that several files of
    `every` column have is shown with its file also where `wanted` are those of one file alone.
    """
    ends = {one: _ends(one) for one in wanted}
    counts = Counter(end for each in ends.values() for end in each)
    inner = Counter((one.path, end) for one, each in ends.items() for end in each)
    files = _files_by_name(every)
    several = {one for one in wanted if len(files.get((one.kind, one.name), ())) > 1}
    labels = short_paths(one.path for one in (*wanted, *every) if one.kind != "deps")
    found = {}
    for one in wanted:
        end = next((end for end in ends[one] if counts[end] == 1), None)
        if end is not None and one not in several:
            found[one] = ("", end)
            continue
        end = next((end for end in ends[one] if inner[one.path, end] == 1), one.full)
        found[one] = (labels.get(one.path, ""), end)
    return found


def short_paths(paths: Iterable[str]) -> dict[str, str]:
    """Return the shortest end of each path, in whole names, that no other of them has."""
    known = dict.fromkeys(paths)
    ends = {path: _path_ends(path) for path in known}
    counts = Counter(end for each in ends.values() for end in each)
    return {
        path: next((end for end in each if counts[end] == 1), path) for path, each in ends.items()
    }


def _ends(one: Column) -> list[str]:
    if one.kind == "deps":
        return _path_ends(one.path)
    parts = one.name.split(".")
    return [".".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]


def _path_ends(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]


def _files_by_name(every: Iterable[Column]) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for one in every:
        if one.kind == "metrics":
            found.setdefault((one.kind, one.name), set()).add(one.path)
    return found
