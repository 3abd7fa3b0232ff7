"""Git's objects one after the other from one process, each checked against its name."""

import hashlib
import os
import subprocess
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from mlxkit.core.errors import MlxError


class Object(NamedTuple):
    """What Git keeps under `id`; `kind` is `commit`, `tree`, `blob` or `tag`."""

    id: str
    kind: str
    data: bytes


class ObjectReader:
    """Reads objects while it is open: `with ObjectReader(root) as objects: objects.read(id)`."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        # Asked for after each object. Git's answer, that there is none of that name, ends the
        # object: a damaged one may be shorter than the size that Git says.
        self._end = os.urandom(16).hex().encode()

    def read(self, name: str) -> Object | None:
        """Return the object of an id, or None where it is missing, or is not what it was.

        Replacements (`git replace`) are not followed: they would show other content than the id's.
        """
        if not name or "\n" in name or "\0" in name:
            return None
        said = self._answer(name.encode(errors="replace"))
        header, _, rest = said.partition(b"\n")
        words = header.split()
        if len(words) != 3 or len(rest) != int(words[2]) + 1:
            return None
        found = Object(words[0].decode("ascii"), words[1].decode("ascii"), rest[:-1])
        return found if _name_of(found) == found.id else None

    def _answer(self, name: bytes) -> bytes:
        """Return all that Git says to a name; as much as there is, where it gives up."""
        process = self._started()
        assert process.stdin is not None and process.stdout is not None
        end = self._end + b" missing\n"
        said = b""
        try:
            process.stdin.write(name + b"\n" + self._end + b"\n")
            process.stdin.flush()
            while not said.endswith(end):
                more = os.read(process.stdout.fileno(), 1 << 20)
                if not more:
                    break
                said += more
        except BrokenPipeError:
            pass
        if said.endswith(end):
            return said[: -len(end)]
        self.close()
        return said

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process, self._process = self._process, None
            with suppress(BrokenPipeError):
                process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            try:
                self._process = subprocess.Popen(
                    ["git", "-C", self._root, "--no-replace-objects", "cat-file", "--batch"],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "GIT_NO_LAZY_FETCH": "1"},
                )
            except FileNotFoundError:
                raise MlxError("git is not installed", hint="install Git and try again") from None
        return self._process


def _name_of(found: Object) -> str:
    """Return the id that the content has: Git itself does not check as it reads."""
    hasher = hashlib.sha256 if len(found.id) == 64 else hashlib.sha1
    header = f"{found.kind} {len(found.data)}\0".encode("ascii")
    return hasher(header + found.data, usedforsecurity=False).hexdigest()
