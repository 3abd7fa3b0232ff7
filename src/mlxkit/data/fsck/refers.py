"""What refers to an object: paths of the working tree, commits, past runs, pins."""

import os
from collections.abc import Collection, Iterable
from contextlib import suppress

from mlxkit.data.gc.inventory import Inventory
from mlxkit.data.gc.reach import all_texts, names_in
from mlxkit.data.gc.scope import Scope
from mlxkit.data.tracked import tracked
from mlxkit.pipeline.session import Session
from mlxkit.store.errors import BadObject
from mlxkit.store.tree import parse_tree

MOST = 3
"""So many of each kind are enough to know what is at stake."""
_TITLES = {
    "run": "run-cache ",
    "record": "run record ",
    "snapshot": "snapshot ",
    "commit": "commit ",
    "pin": "pin in ",
}


def find_refers(
    session: Session, wanted: Collection[str], stock: Inventory
) -> dict[str, tuple[str, ...]]:
    """Return, for each of the `wanted` objects, up to three of each kind that need it."""
    if not wanted:
        return {}
    holders = _holders(set(wanted), stock)
    found: dict[str, list[str]] = {md5: [] for md5 in wanted}
    for kind, place, names in _places(session, {*wanted, *holders}):
        for name in names:
            for md5, inner in [(name, ""), *holders.get(name, ())]:
                if md5 in found:
                    _note(found[md5], kind, _inside(kind, place, inner))
    return {md5: tuple(places) for md5, places in found.items()}


def _inside(kind: str, place: str, inner: str) -> str:
    if not inner:
        return place
    return f"{place} ({inner})" if kind else os.path.join(place, inner)


def _places(session: Session, names: set[str]) -> Iterable[tuple[str, str, set[str]]]:
    for one in tracked(session):
        if one.md5 in names:
            yield "", os.path.relpath(one.path), {one.md5}
    for text in all_texts(session, Scope(), run_cache=True):
        # The files of the working tree are told above, with the paths of their outputs.
        if text.kind in _TITLES and (named := names_in(text.data) & names):
            place = text.where
            if text.kind == "run":
                place = "/".join(part[:12] for part in place.split("/"))
            yield text.kind, f"{_TITLES[text.kind]}{place}", named


def _holders(wanted: set[str], stock: Inventory) -> dict[str, list[tuple[str, str]]]:
    """Directory objects that list a wanted one -> which, and under what path."""
    found: dict[str, list[tuple[str, str]]] = {}
    for top, name in stock.objects():
        if name.endswith(".dir"):
            with suppress(OSError, BadObject), open(f"{top}/{name[:2]}/{name[2:]}", "rb") as file:
                data = file.read()
                if names_in(data) & wanted:
                    found[name] = [(md5, path) for path, md5 in parse_tree(data) if md5 in wanted]
    return found


def _note(places: list[str], kind: str, place: str) -> None:
    title = _TITLES.get(kind, "")
    same = sum(
        one.startswith(title) if title else not one.startswith(tuple(_TITLES.values()))
        for one in places
    )
    if same < MOST and place not in places:
        places.append(place)
