"""Follows imports from a program through the repository's own modules."""

import os
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mlxkit.pipeline.spec import inside
from mlxkit.trace.programs import Program
from mlxkit.trace.sources import BrokenSource, Import, Source, read_source

_OUTSIDE = ("site-packages", "dist-packages")


class Reached(NamedTuple):
    """A source that is run: who imports it, and on which line (empty and 0: the command)."""

    path: str
    by: str
    line: int


class Follower:
    """Reads each source once, whatever the number of stages that import it."""

    def __init__(self, top: str) -> None:
        self._top = top
        self._sources: dict[str, Source | BrokenSource] = {}

    def reached(self, program: Program, folders: Sequence[str]) -> list[Reached]:
        """Return the sources below the top that `program` runs, the nearest first.

        `folders` are those with the repository's packages, beside what the program itself adds.
        """
        before = [one for one in (program.first, *program.path) if one]
        finder = _Finder(self._top, before, [*self._added(program), *folders])
        found: dict[str, Reached] = {}
        waiting: list[tuple[str, str]] = []

        def reach(path: str, name: str, by: str, line: int) -> None:
            if path not in found and self._is_ours(path):
                found[path] = Reached(path, by, line)
                waiting.append((path, name))

        if program.script is not None:
            reach(program.script, "__main__", "", 0)
        elif program.module is not None:
            for path, name in finder.modules(program.module):
                reach(path, name, "", 0)
            for path, name in finder.modules(f"{program.module}.__main__"):
                reach(path, name, "", 0)
        elif program.code is not None:
            for one in _of_code(program.code):
                for path, name in finder.imported(one, "", False, self._everything):
                    reach(path, name, "", 0)
        at = 0
        while at < len(waiting):
            path, name = waiting[at]
            at += 1
            source = self.source(path)
            if isinstance(source, BrokenSource):
                continue
            is_package = os.path.basename(path) == "__init__.py"
            for one in sorted(source.imports, key=lambda one: one.line):
                for other, its_name in finder.imported(one, name, is_package, self._everything):
                    reach(other, its_name, path, one.line)
        return list(found.values())

    def source(self, path: str) -> Source | BrokenSource:
        """Return what is in a source, or why Python would refuse it."""
        if path not in self._sources:
            self._sources[path] = _read(path)
        return self._sources[path]

    def _added(self, program: Program) -> list[str]:
        """Return the folders that a script adds to the path itself, seen from where it starts."""
        source = self.source(program.script) if program.script is not None else None
        added = source.folders if isinstance(source, Source) else ()
        return [os.path.normpath(os.path.join(program.cwd, one)) for one in added]

    def _everything(self, path: str) -> tuple[str, ...]:
        source = self.source(path)
        return () if isinstance(source, BrokenSource) else source.everything

    def _is_ours(self, path: str) -> bool:
        return inside(path, self._top) and not any(one in path.split(os.sep) for one in _OUTSIDE)


class _Finder:
    """Finds modules as Python would: first the program's folders, then those installed."""

    def __init__(self, top: str, before: Sequence[str], installed: Sequence[str]) -> None:
        self._top = top
        self._before = list(dict.fromkeys(before))
        self._installed = [one for one in installed if one not in self._before]
        self._known: dict[str, tuple[str | None, tuple[str, ...]]] = {"": (None, ())}

    def imported(
        self, one: Import, name: str, is_package: bool, everything: "object"
    ) -> Iterator[tuple[str, str]]:
        """Yield path and name of each source that an import in module `name` runs."""
        base = one.name
        if one.level:
            parts = name.split(".") if is_package else name.split(".")[:-1]
            parts = parts[: len(parts) - one.level + 1]
            if not parts or name == "__main__":
                return
            base = ".".join([*parts, base]).strip(".")
        yield from self.modules(base)
        for taken in one.taken:
            if taken != "*":
                yield from self.modules(f"{base}.{taken}", last_only=True)
                continue
            path = self._find(base)[0]
            names = everything(path) if path is not None and callable(everything) else ()
            for listed in names:
                yield from self.modules(f"{base}.{listed}", last_only=True)

    def modules(self, name: str, *, last_only: bool = False) -> Iterator[tuple[str, str]]:
        """Yield the sources that importing `name` runs: its packages', then its own."""
        parts = name.split(".")
        for count in range(len(parts) if last_only else 1, len(parts) + 1):
            one = ".".join(parts[:count])
            path = self._find(one)[0]
            if path is not None:
                yield path, one

    def _find(self, name: str) -> tuple[str | None, tuple[str, ...]]:
        """Return the source of a module, and the folders that its submodules are in."""
        if name not in self._known:
            parent, _, last = name.rpartition(".")
            self._known[name] = self._look(last, self._folders(parent, last))
        return self._known[name]

    def _folders(self, parent: str, last: str) -> Sequence[str]:
        if parent:
            return self._find(parent)[1]
        if last in sys.builtin_module_names:
            return ()
        return [*self._before, *(() if last in sys.stdlib_module_names else self._installed)]

    def _look(self, last: str, folders: Sequence[str]) -> tuple[str | None, tuple[str, ...]]:
        loose = []
        for folder in folders if last.isidentifier() else ():
            package = os.path.join(folder, last)
            if os.path.isfile(os.path.join(package, "__init__.py")):
                return os.path.join(package, "__init__.py"), (package,)
            if os.path.isfile(f"{package}.py"):
                return f"{package}.py", ()
            if os.path.isdir(package) and inside(package, self._top):
                loose.append(package)
        return None, tuple(loose)


def _of_code(code: str) -> tuple[Import, ...]:
    try:
        return read_source(code).imports
    except BrokenSource:
        return ()


def _read(path: str) -> Source | BrokenSource:
    try:
        with open(path, "rb") as file:
            return read_source(file.read())
    except BrokenSource as error:
        return error
    except OSError as error:
        return BrokenSource(error.strerror or "it cannot be read")
