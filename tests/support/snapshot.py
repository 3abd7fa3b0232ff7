"""What a project looks like on disk, as values that can be compared."""

import hashlib
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

Entry = tuple[str, bytes]  # kind and mode, content

# Each tool's private memory: never compared.
_OBJECT = re.compile(r"(^|/)[0-9a-f]{2}/[0-9a-f]{30}(\.dir)?$")
PRIVATE = frozenset({".git", ".mlx"})


@dataclass(frozen=True)
class Snapshot:
    """Files of the workspace, objects of the cache and entries of the run-cache, by path."""

    workspace: dict[str, Entry]
    cache: dict[str, Entry] = field(repr=False)
    runs: dict[str, Entry] = field(repr=False)
    litter: dict[str, Entry] = field(repr=False)  # other files in the cache

    @classmethod
    def of(cls, root: Path) -> "Snapshot":
        """Read a project; cached objects are checked against their names on the way."""
        cache = _walk(root / ".dvc" / "cache", skip=frozenset({"runs"}), empty=False)
        litter = {path: cache.pop(path) for path in list(cache) if not _OBJECT.search(path)}
        for path, (_, content) in cache.items():
            # Objects of dvc 2 lie beside `files/md5`, under the digest of a text's unix form.
            oid = path.removeprefix("files/md5/").replace("/", "").removesuffix(".dir")
            assert hashlib.md5(content).hexdigest() == oid, (
                f"cache object {path} does not match its name"
            )
        workspace = _walk(root, skip=PRIVATE | {".dvc"})
        for name in ("config", ".gitignore"):
            workspace[f".dvc/{name}"] = _entry(root / ".dvc" / name, root)
        return cls(workspace, cache, _walk(root / ".dvc" / "cache" / "runs", empty=False), litter)

    def named(self, *names: str) -> dict[str, bytes]:
        """The bytes of all files of the workspace with one of these base names."""
        return {
            path: content
            for path, (_, content) in self.workspace.items()
            if os.path.basename(path) in names
        }

    @property
    def locks(self) -> dict[str, bytes]:
        """The bytes of every `dvc.lock`."""
        return self.named("dvc.lock")

    @property
    def ignores(self) -> dict[str, bytes]:
        """The bytes of every `.gitignore`."""
        return self.named(".gitignore")


def assert_alike(actual: Snapshot, expected: Snapshot, *, same_order: bool = True) -> None:
    """Fail with a readable list of what differs."""
    found = differences(actual, expected, same_order=same_order)
    assert not found, "left is what came, right what should be:\n" + "\n".join(found)


def differences(left: Snapshot, right: Snapshot, *, same_order: bool = True) -> list[str]:
    """One paragraph for each difference; empty when the projects are alike.

    Without `same_order` the lines of `.gitignore` and the stages of `dvc.lock` may stand in another
    order: they follow the order in which the folders were read.
    """
    found: list[str] = []
    for part in ("workspace", "cache", "runs", "litter"):
        one: dict[str, Entry] = getattr(left, part)
        two: dict[str, Entry] = getattr(right, part)
        for path in sorted(one.keys() | two.keys()):
            a, b = one.get(path), two.get(path)
            if a == b or (not same_order and _alike(path, a, b)):
                continue
            found.append(f"{part}: {path}\n  left:  {_show(a)}\n  right: {_show(b)}")
    return found


def _alike(path: str, a: Entry | None, b: Entry | None) -> bool:
    if a is None or b is None or a[0] != b[0]:
        return False
    if os.path.basename(path) not in {".gitignore", "dvc.lock"}:
        return False
    return sorted(a[1].splitlines()) == sorted(b[1].splitlines())


def _walk(
    root: Path, skip: frozenset[str] = frozenset(), *, empty: bool = True
) -> dict[str, Entry]:
    """All files and links, and with `empty` the folders that hold nothing."""
    found: dict[str, Entry] = {}
    for folder, folders, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        if inside == ".":
            folders[:] = [name for name in folders if name not in skip]
        for name in files + [
            name for name in folders if os.path.islink(os.path.join(folder, name))
        ]:
            path = name if inside == "." else f"{inside}/{name}"
            found[path] = _entry(os.path.join(folder, name), root)
        if empty and not files and not folders and inside != ".":
            found[inside + "/"] = ("empty folder", b"")
    return found


def _entry(path: str | Path, root: Path) -> Entry:
    info = os.lstat(path)
    if stat.S_ISLNK(info.st_mode):
        # A link into the cache names the project's own place.
        return "link", os.readlink(path).replace(f"{root}/", "(project)/").encode()
    with open(path, "rb") as file:
        return f"file {stat.S_IMODE(info.st_mode):04o}", file.read()


def _show(entry: Entry | None) -> str:
    if entry is None:
        return "(absent)"
    kind, content = entry
    text = content.decode("utf-8", "backslashreplace")
    return f"{kind} {text[:1500]!r}" if "\n" not in text else f"{kind}\n{text[:3000]}"
