"""What can be deleted from the cache, why, and deleting it so that a kill harms nothing."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from mlxkit.core.progress import SILENT, Progress
from mlxkit.data.gc.inventory import File, Inventory, look, object_path, take_stock
from mlxkit.data.gc.reach import (
    OF_RUNS,
    Reach,
    all_texts,
    cache_folder,
    find_reach,
    listed_files,
    recorded,
)
from mlxkit.data.gc.scope import Scope
from mlxkit.data.history.versions import Text
from mlxkit.pipeline.session import Session
from mlxkit.store.errors import explained

UNREFERENCED = "unreferenced"
OUT_OF_SCOPE = "out-of-scope"
RUN_RECORD = "run-record"
LEFTOVER = "leftover"
YOUNG = "young"
IN_DOUBT = "in-doubt"


class Wanted(NamedTuple):
    """What the user asked for; `grace` in seconds."""

    scope: Scope = Scope()
    grace: float = 0.0
    run_cache: bool = True
    ignore_missing: bool = False


class Item(NamedTuple):
    """One file of the cache that nothing needs, and why it goes or stays."""

    file: File
    name: str
    reason: str


class Plan(NamedTuple):
    """What goes and what stays although nothing needs it.

    `total` counts all objects; `lost` are directory objects that something needs and that are not
    there, with where they were found; `strangers` counts files that are no objects.
    """

    remove: list[Item]
    held: list[Item]
    total: int
    lost: dict[str, str]
    strangers: int

    @property
    def kept(self) -> int:
        """How many objects stay."""
        return self.total - sum(item.reason != LEFTOVER for item in self.remove)


class Elsewhere(NamedTuple):
    """What commits outside of the scope need, and what run records name, perhaps those alone."""

    committed: Collection[str] = ()
    recorded: Collection[str] = ()

    def reason(self, name: str) -> str:
        """Why an object goes that is not in the scope."""
        if name in self.committed:
            return OUT_OF_SCOPE
        return RUN_RECORD if name in self.recorded else UNREFERENCED


class Group(NamedTuple):
    """All files with one reason; `size` in bytes."""

    reason: str
    objects: int
    size: int


def make_plan(
    session: Session,
    others: Sequence[Session],
    wanted: Wanted,
    besides: Callable[[Session], Iterable[Text]] = lambda _: (),
    left: Callable[[Session], Iterable[File]] = lambda _: (),
) -> Plan:
    """Compare the cache with all that this and the `others` projects refer to.

    `besides` tells what else of a project may name objects to be kept, whatever is wanted, `left`
    what lies elsewhere and goes, too. Raises MlxError where something that may refer to an object
    cannot be read.
    """
    sessions = [session, *others]
    stock = take_stock(cache_folder(session))
    reach = find_reach(
        (
            text
            for one in sessions
            for text in chain(
                all_texts(one, wanted.scope, run_cache=wanted.run_cache), besides(one)
            )
        ),
        stock,
    )
    loose = [(top, name) for top, name in stock.objects() if name not in reach.names]
    if wanted.scope.narrow or not wanted.run_cache:
        texts = (text for one in sessions for text in all_texts(one, Scope(), run_cache=True))
        committed = find_reach((one for one in texts if one.kind not in OF_RUNS), stock, reach)
        records = (text for one in sessions for text in recorded(one))
        known = find_reach(records, stock, committed)
        elsewhere = Elsewhere(committed.names, known.names)
    else:
        elsewhere = Elsewhere()
    links = any("hardlink" in one.workspace.store.link_types for one in sessions)
    looked = ((name, look(object_path(top, name), was_link=links)) for top, name in loose)
    files = [(name, file) for name, file in looked if file]
    beside = [file for one in sessions for file in left(one)]
    stock = stock._replace(leftovers=[*stock.leftovers, *beside])
    return decide(files, stock, reach, elsewhere, wanted)


def decide(
    loose: Iterable[tuple[str, File]],
    stock: Inventory,
    reach: Reach,
    elsewhere: Elsewhere,
    wanted: Wanted,
) -> Plan:
    """Sort the objects that are not in reach into those that go and those that are held back.

    `elsewhere` is what is needed only outside of the scope.
    """
    remove: list[Item] = []
    held: list[Item] = []
    found = list(loose)
    fresh = {name for name, file in found if file.age < wanted.grace}
    spared = _files_of(fresh, stock)
    doubt = bool(reach.lost) and not wanted.ignore_missing
    for name, file in found:
        reason = elsewhere.reason(name)
        if name in fresh or name in spared:
            held.append(Item(file, name, YOUNG))
        elif doubt and not name.endswith(".dir"):
            held.append(Item(file, name, IN_DOUBT))
        else:
            remove.append(Item(file, name, reason))
    remove += [Item(file, "", LEFTOVER) for file in stock.leftovers]
    return Plan(remove, held, stock.total, reach.lost, stock.strangers)


def _files_of(names: Iterable[str], stock: Inventory) -> set[str]:
    """What these directory objects list: one that stays must stay complete."""
    listings = [name for name in names if name.endswith(".dir")]
    return {file for name in listings for file in (listed_files(name, stock.paths(name)) or set())}


def grouped(items: Iterable[Item]) -> list[Group]:
    """Sum the items up by reason."""
    sums: dict[str, tuple[int, int]] = {}
    for item in items:
        objects, size = sums.get(item.reason, (0, 0))
        sums[item.reason] = (objects + 1, size + item.file.size)
    return [Group(reason, *counts) for reason, counts in sums.items()]


def limited(plan: Plan, shown: Plan) -> Plan:
    """The part of a new plan that was in the one shown before."""
    agreed = {item.file.path for item in shown.remove}
    return plan._replace(remove=[item for item in plan.remove if item.file.path in agreed])


def carry_out(plan: Plan, progress: Progress = SILENT) -> Group:
    """Delete, and return what was; raises UnusablePath.

    Directory objects go first. So one that is there is never without a file because of us,
    wherever we are killed, and the next time the rest goes.
    """
    gone = size = 0
    progress.begin("deleting", files=len(plan.remove))
    for item in _in_order(plan.remove):
        with explained("delete", item.file.path):
            try:
                os.unlink(item.file.path)
            except FileNotFoundError:
                continue
        gone += item.reason != LEFTOVER
        size += item.file.size
        progress.advance(1, item.file.size)
    progress.end()
    return Group("removed", gone, size)


def _in_order(items: Sequence[Item]) -> Iterator[Item]:
    yield from (item for item in items if item.name.endswith(".dir"))
    yield from (item for item in items if not item.name.endswith(".dir"))
