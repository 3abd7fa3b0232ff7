"""Documents in a chain of Git commits under a ref of its own, each named by its own sha256.

So a document never changes, and two chains merge by union.
"""

import random
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.runs.ledger import contents, fast_import, listed
from mlxkit.runs.merge import adds_only
from mlxkit.runs.record import digest
from mlxkit.runs.repository import Who, ask, commits

_ATTEMPTS = 30


class Merged(NamedTuple):
    """How many documents came in, and how many files were refused: not what they should be."""

    added: int
    refused: int


class Chain:
    """One kind of documents: its tree holds `FOLDER/ab/cdef....json`."""

    def __init__(self, ref: str, folder: str, largest: int, right: Callable[[bytes], bool]) -> None:
        """`right` tells whether bytes, at most `largest`, are such a document."""
        self.ref = ref
        self._folder = folder
        self._largest = largest
        self._right = right
        self._path = re.compile(re.escape(folder) + r"/([0-9a-f]{2})/([0-9a-f]{62})\.json\Z")
        # The first commit is the same everywhere, so that all chains of a kind are related.
        about = f"committer mlx <mlx@localhost> 0 +0000\ndata {len(folder) + 1}\n{folder}"
        self._start = f"commit {ref}\n{about}\n\n".encode()

    def tip(self, root: str) -> str | None:
        """Return the newest commit, None where nothing was kept yet."""
        return commits(root, [self.ref]).get(self.ref)

    def append(self, root: str, data: bytes, who: Who, message: str) -> str:
        """Keep a document; returns its id. Raises MlxError where Git cannot."""
        name = digest(data)
        file = f"M 100644 inline {self.path_of(name)}\ndata {len(data)}\n".encode() + data + b"\n"
        for attempt in range(_ATTEMPTS):
            before = self.tip(root)
            begin = b"" if before else self._start
            try:
                fast_import(root, begin + self._commit(who, message, before) + file)
            except MlxError:
                if attempt == _ATTEMPTS - 1 or not self._moved(root, before):
                    raise
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
            else:
                break
        return name

    def read_all(self, root: str) -> dict[str, bytes]:
        """Return every document's bytes by id; what is not what its name says is left out."""
        now = self.tip(root)
        return self._read(root, now) if now else {}

    def read_in_order(self, root: str) -> dict[str, bytes]:
        """Return what `read_all` does, oldest first, whatever the writers' clocks say.

        What was kept on top of another comes after it; time decides between clones alone.
        """
        now = self.tip(root)
        if now is None:
            return {}
        found = self._read(root, now)
        history = ask(root, "rev-list", "--date-order", "--reverse", now)
        told = ask(
            root, *("diff-tree", "--stdin", "-r", "-z", "--root", "--no-commit-id", "--name-only"),
            *("--no-renames", "--diff-filter=A"), stdin=history,
        )  # fmt: skip
        paths = (one.decode(errors="replace") for one in told.split(b"\0"))
        names = [match[1] + match[2] for path in paths if (match := self._path.match(path))]
        placed = {name: found[name] for name in names if name in found}
        return {**{name: data for name, data in found.items() if name not in placed}, **placed}

    def _read(self, root: str, now: str) -> dict[str, bytes]:
        named = self._named(listed(root, None, now, self._folder))
        return {
            named[blob]: data
            for blob, data in contents(root, named)
            if self._is_right(named[blob], data)
        }

    def merge(self, root: str, theirs: str, who: Who) -> Merged:
        """Add to our chain what the chain at the ref `theirs` has; raises MlxError.

        Only documents whose names are their digests come in.
        """
        for attempt in range(_ATTEMPTS):
            known = commits(root, [self.ref, theirs])
            ours, other = known.get(self.ref), known.get(theirs)
            if other is None or ours == other or (ours and _reaches(root, other, ours)):
                return Merged(0, 0)
            offered = listed(root, ours, other)
            good = self._checked(root, offered)
            try:
                if len(good) == len(offered) and adds_only(root, ours, other, len(offered)):
                    ask(root, "update-ref", self.ref, other, ours or "0" * len(other))
                else:
                    fast_import(root, self._joining(good, ours, other, who))
            except MlxError:
                if attempt == _ATTEMPTS - 1 or not self._moved(root, ours):
                    raise
            else:
                return Merged(len(good), len(offered) - len(good))
        raise AssertionError("unreachable")

    def count(self, root: str, since: str | None, until: str) -> int:
        """Return how many documents `until` has that `since` has not."""
        return len(self._named(listed(root, since, until, self._folder)))

    def path_of(self, name: str) -> str:
        """Return where the tree keeps the document of that id."""
        return f"{self._folder}/{name[:2]}/{name[2:]}.json"

    def _joining(self, good: dict[str, str], ours: str | None, other: str, who: Who) -> bytes:
        lines = "".join(f"M 100644 {blob} {self.path_of(name)}\n" for blob, name in good.items())
        begin = b"" if ours else self._start
        message = f"merge {self._folder}"
        return begin + self._commit(who, message, ours, other) + lines.encode()

    def _commit(
        self, who: Who, message: str, before: str | None, other: str | None = None
    ) -> bytes:
        head = f"commit {self.ref}\ncommitter {who.line}\ndata {len(message.encode())}\n{message}"
        parents = f"\nfrom {before}\n" if before else "\n"
        return (head + parents + (f"merge {other}\n" if other else "")).encode()

    def _named(self, files: dict[str, str]) -> dict[str, str]:
        """Return the id that each blob should have."""
        return {blob: match[1] + match[2] for path, blob in files.items()
                if (match := self._path.match(path))}  # fmt: skip

    def _checked(self, root: str, offered: dict[str, str]) -> dict[str, str]:
        named = self._named(offered)
        asked = "".join(f"{blob}\n" for blob in named).encode()
        sizes = ask(root, "cat-file", "--batch-check", stdin=asked).decode().splitlines()
        small = {
            blob: name
            for (blob, name), about in zip(named.items(), sizes, strict=True)
            if about.split()[-1].isdigit() and int(about.split()[-1]) <= self._largest
        }
        found = contents(root, small)
        return {blob: small[blob] for blob, data in found if self._is_right(small[blob], data)}

    def _is_right(self, name: str, data: bytes) -> bool:
        return digest(data) == name and self._right(data)

    def _moved(self, root: str, before: str | None) -> bool:
        if self.tip(root) != before:
            return True
        time.sleep(0.05)
        return self.tip(root) != before


def _reaches(root: str, old: str, new: str) -> bool:
    return not ask(root, "rev-list", "--max-count=1", old, f"^{new}")
