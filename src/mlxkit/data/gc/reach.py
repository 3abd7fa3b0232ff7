"""Which objects of the cache anything still refers to.

The files are not parsed but searched for words that look like digests. That is a superset of
what they name: it cannot miss a name, whatever the layout, the version or a merge conflict in the
file, it costs a tenth of parsing, and an object kept by mistake harms nobody.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from mlxkit.core.digest import md5_bytes
from mlxkit.data.gc.inventory import Inventory
from mlxkit.data.gc.scope import Scope, scoped
from mlxkit.data.history import versions
from mlxkit.data.history.versions import Text
from mlxkit.data.pins import FILE as PINS
from mlxkit.data.tracked import tracked
from mlxkit.pipeline.session import Session
from mlxkit.runs.ledger import records_data
from mlxkit.runs.record import SHOWN
from mlxkit.store.parallel import spread

_NAME = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?:\.dir)?(?![0-9a-f])")
_LINE = re.compile(rb'\{"md5": "([0-9a-f]{32})", "relpath"')
_LINKED = re.compile(r"([0-9a-f]{2})/([0-9a-f]{30}(?:\.dir)?)\Z")
RECORD, SNAPSHOT = OF_RUNS = "record", "snapshot"
"""The kinds of text that runs leave: their records, and what the working tree was."""
_OURS = "refs/mlx/*"
_MANY, _CHUNK = 16, 4
"""From so many lists on, which may be long, processes share them in chunks."""


class Reach(NamedTuple):
    """What is referred to: `names` of objects, and among them directory objects that are `lost`.

    Which files a lost one lists is unknown: it is not in the cache, or damaged there. Its value
    is where it was found.
    """

    names: set[str]
    lost: dict[str, str]


NOTHING = Reach(set(), {})


def names_in(data: bytes) -> set[str]:
    """Every word in `data` that may be the name of an object."""
    return set(_NAME.findall(data.decode("latin-1")))


def find_reach(texts: Iterable[Text], stock: Inventory, known: Reach = NOTHING) -> Reach:
    """Return which objects `texts` name, and what the directory objects among them list.

    `known` is part of the answer, found before.
    """
    where: dict[str, str] = {}
    by_runs: set[str] = set()
    for text in texts:
        named = names_in(text.data)
        fresh = named - where.keys()
        where.update(dict.fromkeys(fresh, text.where))
        if text.kind in OF_RUNS:
            by_runs |= fresh
        else:
            by_runs -= named
    new = where.keys() - known.names
    names = known.names | new
    lost = dict(known.lost)
    for part in _listed(sorted(name for name in new if name.endswith(".dir")), stock):
        names |= part.names
        # A folder that only runs name, and whose list is not here, was made elsewhere: none of its
        # files is in this cache because of it.
        lost.update({name: where[name] for name in part.lost if name not in by_runs})
    return Reach(names, lost)


def _listed(directories: list[str], stock: Inventory) -> Iterator[Reach]:
    """What directory objects list, as far as it is in the cache."""

    def read(part: list[str]) -> Reach:
        names: set[str] = set()
        lost = {}
        for name in part:
            files = listed_files(name, stock.paths(name))
            if files is None:
                lost[name] = ""
            else:
                for there in stock.folders.values():
                    names |= files & there
        return Reach(names, lost)

    yield from spread(read, directories, least=_MANY, chunk=_CHUNK)


def listed_files(name: str, paths: Iterable[str]) -> set[str] | None:
    """The objects that a directory object lists; None where no copy of it is there and whole."""
    for path in paths:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except OSError:
            continue
        if md5_bytes(data) == name[:32]:
            found = _LINE.findall(data)
            # What DVC does not lay out like this is searched for anything that may be a name.
            whole = len(found) == data.count(b"relpath")
            return set(b" ".join(found).decode().split()) if whole else names_in(data)
    return None


def all_texts(session: Session, scope: Scope, *, run_cache: bool) -> Iterator[Text]:
    """Every file that may name objects to be kept: of everything, or of a narrower scope.

    Pins, and what the working tree itself consists of, belong to each scope.
    """
    root = session.git_root
    yield from _working_tree(session)
    if root is not None:
        yield from _pinned(root)
        if scope.narrow:
            yield from scoped(root, scope)
        else:
            yield from _everything(root)
            yield from recorded(session)
    if run_cache and not scope.narrow:
        yield from _run_cache(session)


def _working_tree(session: Session) -> Iterator[Text]:
    files = {os.path.join(session.root, PINS)}
    for path in session.declared.files:
        files.add(path if path.endswith(".dvc") else f"{os.path.splitext(path)[0]}.lock")
    if session.git_root is not None:
        files.update(versions.checked_out(session.root))
    yield from _read(sorted(files), session.root)
    yield from _read(_experiments(session.root), session.root)
    yield from _links(session)


def _everything(root: str) -> Iterator[Text]:
    """All of Git's: commits of all refs and reflogs, stashes, trees, indexes, worktrees."""
    for folder in versions.worktrees(root):
        yield from _read(versions.checked_out(folder), root)
    yield from versions.indexed(root)
    # What a fetch or an unfinished merge brought has no branch yet.
    special = [f"{name}_HEAD" for name in ("FETCH", "MERGE", "ORIG", "REBASE", "CHERRY_PICK")]
    tips = [oid for oid, kind in versions.kinds(root, special).values() if kind == "commit"]
    yield from versions.history(root, f"--exclude={_OURS}", "--all", "--reflog", tips=tips)
    others = versions.kinds(root, versions.refs(root)).items()
    yield from versions.at_trees(root, {oid: ref for ref, (oid, kind) in others if kind == "tree"})
    loose = {oid: ref for ref, (oid, kind) in others if kind == "blob"}
    for blob, data in versions.blobs(root, list(loose)):
        yield Text("tip", loose[blob], data)


def recorded(session: Session) -> Iterator[Text]:
    """What runs name: their records, what each read and made; the working trees they began in."""
    root = session.git_root
    if root is not None:
        for name, data in records_data(root):
            yield Text(RECORD, name[:SHOWN], data)
        ours = (f"--glob={_OURS}", "--not", f"--exclude={_OURS}", "--all")
        for text in versions.history(root, *ours):
            yield text._replace(kind=SNAPSHOT)


def _pinned(root: str) -> Iterator[Text]:
    """Pins of all worktrees, and of the tips of all branches: one is enough to keep an object."""
    pattern = (f"*{PINS}",)
    for folder in versions.worktrees(root):
        yield from _read(versions.checked_out(folder, pattern), root, kind="pin")
    tips = versions.kinds(root, versions.refs(root, "refs/heads", "refs/remotes"))
    trees = {oid: ref for ref, (oid, _) in tips.items()}
    yield from versions.at_trees(root, trees, kind="pin", patterns=pattern)


def _experiments(root: str) -> Iterator[str]:
    """Files of DVC's experiments that are running in folders of their own."""
    for folder, folders, files in os.walk(os.path.join(root, ".dvc", "tmp", "exps")):
        if os.path.basename(folder) == ".dvc":
            folders[:] = []
        folders[:] = [name for name in folders if name != ".git"]
        for name in files:
            if name in ("dvc.lock", "Dvcfile") or name.endswith(".dvc"):
                yield os.path.join(folder, name)


def _links(session: Session) -> Iterator[Text]:
    """What symbolic links in the working tree lead to: without it they would break."""
    for one in tracked(session):
        for path in _symbolic(one.path):
            with suppress(OSError):
                found = _LINKED.search(os.readlink(path))
                if found:
                    shown = os.path.relpath(path, session.root)
                    yield Text("link", shown, "".join(found.groups()).encode())


def _symbolic(top: str) -> Iterator[str]:
    if os.path.islink(top):
        yield top
        return
    pending = [top]
    while pending:
        with suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield entry.path
                elif entry.is_dir():
                    pending.append(entry.path)


def _run_cache(session: Session) -> Iterator[Text]:
    folder = os.path.join(cache_folder(session), "runs")
    for top, _, files in os.walk(folder):
        yield from _read([os.path.join(top, name) for name in files], folder, kind="run")


def cache_folder(session: Session) -> str:
    """The folder that holds `files/md5` and `runs`."""
    return os.path.dirname(os.path.dirname(session.workspace.store.root))


def _read(paths: Iterable[str], root: str, kind: str = "file") -> Iterator[Text]:
    """The files that are there; one that is and cannot be read must stop everything."""
    for path in paths:
        try:
            with open(path, "rb") as file:
                data = file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            continue
        yield Text(kind, os.path.relpath(path, root), data)
