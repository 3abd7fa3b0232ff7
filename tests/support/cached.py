"""Objects put into a cache by hand, old enough to be deleted, and files that refer to them."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from .project import Project

OLD = 1_600_000_000
OBJECTS = ".dvc/cache/files/md5"


def place(project: Project, content: bytes, *, old: bool = True, suffix: str = "") -> str:
    """Put an object into the cache; its name."""
    md5 = hashlib.md5(content).hexdigest() + suffix
    path = project.root / OBJECTS / md5[:2] / md5[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content)
        path.chmod(0o444)
    if old:
        os.utime(path, (OLD, OLD))
    return md5


def place_folder(
    project: Project, files: Mapping[str, bytes], *, old: bool = True
) -> tuple[str, set[str]]:
    """Put a directory into the cache; the name of its own object, and those of its files."""
    names = {path: place(project, content) for path, content in files.items()}
    listing = [{"md5": names[path], "relpath": path} for path in sorted(names)]
    return place(project, json.dumps(listing).encode(), old=old, suffix=".dir"), set(names.values())


def dvc_file(md5: str, path: str) -> str:
    """The text of a `.dvc` file."""
    return f"outs:\n- md5: {md5}\n  size: 1\n  hash: md5\n  path: {path}\n"


def track(project: Project, name: str, content: bytes) -> str:
    """Put an object into the cache with a `.dvc` file that refers to it; its name."""
    md5 = place(project, content)
    project.write(f"{name}.dvc", dvc_file(md5, name))
    return md5


def cached(project: Project) -> set[str]:
    """The names of all objects in the cache."""
    return objects_below(project.root / OBJECTS)


def objects_below(folder: Path) -> set[str]:
    """The names of all objects below a `files/md5`."""
    return {path.parent.name + path.name for path in folder.glob("??/*")}


def whole_objects(folder: Path) -> set[str]:
    """Check all below a `files/md5`: right bytes, no list without its files; the objects' names."""
    names = objects_below(folder)
    for name in names:
        data = (folder / name[:2] / name[2:]).read_bytes()
        assert hashlib.md5(data).hexdigest() == name[:32], f"{name} has wrong bytes"
        if name.endswith(".dir"):
            lacking = {one["md5"] for one in json.loads(data)} - names
            assert not lacking, f"{name} is there without {len(lacking)} of its files"
    return names


def temporary_files(*folders: Path) -> list[Path]:
    """What is left of files and folders that were being written."""
    return [path for folder in folders for path in folder.rglob(".mlx-*.tmp")]


def files_below(*folders: Path) -> int:
    """How many files there are below folders that need not exist."""
    return sum(len(files) for folder in folders for _, _, files in os.walk(folder))
