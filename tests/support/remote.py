"""One test's own place on a server, and what was asked of it."""

import hashlib
import itertools
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .project import Project

OBJECT = re.compile(r"files/md5/([0-9a-f]{2})/([0-9a-f]{30})(\.dir)?")
_numbers = itertools.count(1)

Asked = list[tuple[str, str]]  # "read" or "write", and the path with the place's name in front


@dataclass(frozen=True)
class Remote:
    """A remote as a user adds it, and the server's own view of it."""

    name: str
    url: str
    listing: Callable[[], dict[str, str]]  # key -> md5 of its bytes
    asked: Asked
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)

    def add_to(self, project: Project) -> None:
        """Make it the project's default remote, secrets in the local configuration."""
        project.dvc("remote", "add", "-q", "-f", "-d", "store", self.url).ok()
        for key, value in self.options.items():
            project.dvc("remote", "modify", "-q", "store", key, value).ok()
        for key, value in self.secrets.items():
            project.dvc("remote", "modify", "-q", "--local", "store", key, value).ok()

    def keys(self, what: str, since: int = 0) -> list[str]:
        """What was asked for ("read") or sent ("write") here, after so many requests to all."""
        start = f"/{self.name}/"
        return [
            path.removeprefix(start)
            for kind, path in self.asked[since:]
            if kind == what and path.startswith(start)
        ]

    def objects(self) -> dict[str, str]:
        """The keys that count as objects, with the digests of their bytes."""
        return {key: md5 for key, md5 in self.listing().items() if OBJECT.fullmatch(key)}

    def wrong(self) -> list[str]:
        """The objects whose bytes are not what their key says."""
        return [key for key, md5 in self.objects().items() if digest_of(key)[:32] != md5]


class Server(Protocol):
    """A server on loopback that gives each test a place of its own."""

    port: int

    def remote(self, name: str, port: int | None = None) -> Remote:
        """Make a place; `port` is where to reach it, if not at the server itself."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


def new_name() -> str:
    """A name that no other place has, in any process: dvc remembers what it sent to which one."""
    return f"place-{os.getpid()}-{next(_numbers)}"


def digest_of(key: str) -> str:
    """The digest in an object's key, `.dir` included."""
    return key.removeprefix("files/md5/").replace("/", "")


def key_of(digest: str) -> str:
    """The key of an object."""
    return f"files/md5/{digest[:2]}/{digest[2:]}"


def md5(content: bytes) -> str:
    """The digest of some bytes."""
    return hashlib.md5(content).hexdigest()


def folder_listing(root: Path) -> dict[str, str]:
    """Every file below a folder with the digest of its bytes."""
    return {
        path.relative_to(root).as_posix(): md5(path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }
