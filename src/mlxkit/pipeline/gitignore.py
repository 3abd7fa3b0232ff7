"""Writes the `.gitignore` entries of outputs, as DVC writes them and in DVC's order.

Stages finish in any order when they run at once, and the file must not depend on that: what this
run adds is kept apart from what was there before, and sorted by the stages' order.
"""

import os
from collections.abc import Iterable

from mlxkit.core.files import write_atomic
from mlxkit.pipeline.spec import Out
from mlxkit.tools import git


class IgnoreFiles:
    """All `.gitignore` files that a run adds to."""

    def __init__(self, git_root: str | None, outs: Iterable[Out], bases: dict[str, str]) -> None:
        """`outs`: all that may be committed; `bases`: texts before a run that was killed."""
        self._git_root = git_root
        self._outs = list(outs)
        self._bases = dict(bases)
        self._ignored: set[str] | None = None
        self._added: dict[str, dict[tuple[int, int], str]] = {}
        self._ranks: dict[str, tuple[int, int]] = {}
        self._written: dict[str, str] = {}

    @property
    def bases(self) -> dict[str, str]:
        """The text of each touched file as it was before the run."""
        return self._bases

    def rank(self, out: Out, rank: tuple[int, int]) -> None:
        """Tell the place of an output among all outputs, for entries found from a killed run."""
        self._ranks[_line(out.abs)] = rank

    def expect(self, outs: Iterable[Out]) -> None:
        """Tell of outputs that the project's files did not declare when this was made."""
        self._outs += outs
        self._ignored = None

    def add(self, out: Out, rank: tuple[int, int]) -> None:
        """Make Git ignore an output that the cache holds."""
        if self._git_root is None or not out.cache or self._is_ignored(out):
            return
        path = os.path.join(os.path.dirname(out.abs), ".gitignore")
        if path not in self._added:
            self._take_base(path)
        if _line(out.abs) not in self._bases[path].splitlines():
            self._added[path][rank] = _line(out.abs)

    @property
    def dirty(self) -> bool:
        """Tell whether a flush would write something."""
        return any(
            _append(self._bases[path], [lines[rank] for rank in sorted(lines)])
            != self._written.get(path)
            for path, lines in self._added.items()
        )

    def flush(self) -> list[str]:
        """Write the files that changed; return their paths."""
        changed = []
        for path, lines in self._added.items():
            text = _append(self._bases[path], [lines[rank] for rank in sorted(lines)])
            if text != self._written.get(path):
                write_atomic(path, text.encode(), sync=False)
                self._written[path] = text
                changed.append(path)
        return changed

    def _is_ignored(self, out: Out) -> bool:
        if self._ignored is None:
            # Both spellings: a rule such as `data/` holds for a folder only.
            asked = [one.abs for one in self._outs if one.cache]
            assert self._git_root is not None
            self._ignored = git.ignored(self._git_root, [*asked, *(one + "/" for one in asked)])
        spelled = out.abs + "/" if os.path.isdir(out.abs) else out.abs
        return spelled in self._ignored

    def _take_base(self, path: str) -> None:
        text = _read(path)
        self._added[path] = {}
        base = self._bases.setdefault(path, text)
        if text.startswith(base):
            for line in text[len(base) :].split("\n"):
                if line in self._ranks:
                    self._added[path][self._ranks[line]] = line
        if _append(base, [one for _, one in sorted(self._added[path].items())]) != text:
            # Somebody else wrote to it meanwhile: then what is there is what we start from.
            self._bases[path] = text
            self._added[path] = {}
        self._written[path] = text


def _append(base: str, lines: list[str]) -> str:
    if not lines:
        return base
    gap = "\n" if base and not base.endswith("\n") else ""
    return base + gap + "".join(f"{line}\n" for line in lines)


def _line(path: str) -> str:
    """Return the entry for a path: from its own folder, with the signs of patterns escaped."""
    return "/" + "".join(f"\\{sign}" if sign in "[]!*#?\\" else sign for sign in _name(path))


def _name(path: str) -> str:
    return os.path.basename(path)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
