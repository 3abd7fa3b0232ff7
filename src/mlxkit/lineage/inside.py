"""Files inside tracked folders, as the objects of the cache list them."""

import os
import re
from collections.abc import Iterator
from typing import Final

from mlxkit.lineage.answer import Item
from mlxkit.lineage.index import Index
from mlxkit.lineage.schema import OUT
from mlxkit.store.errors import BadObject
from mlxkit.store.tree import parse_tree

_DIGEST: Final = re.compile(r"[0-9a-f]{32}(?:\.dir)?")


def files_of(index: Index, md5: str) -> dict[str, str]:
    """Return the files of a folder by path; empty where the cache does not have its list."""
    data = cached(index.root, md5)
    try:
        return dict(parse_tree(data)) if data else {}
    except BadObject:
        return {}


def folders_with(index: Index, md5: str) -> Iterator[tuple[Item, str]]:
    """Yield the folders ever recorded that hold a file with this digest, and where it lay."""
    wanted = md5.encode()
    for path, folder, size in index.db.execute(
        "SELECT DISTINCT path, md5, size FROM things JOIN uses ON thing = things.id"
        " WHERE role = ? AND md5 LIKE '%.dir' ORDER BY things.id",
        (OUT,),
    ).fetchall():
        data = cached(index.root, folder)
        if data and wanted in data:
            for part, digest in files_of(index, folder).items():
                if digest == md5:
                    yield Item(path, folder, size), f"{path}/{part}"
                    break


def cached(root: str, md5: str) -> bytes | None:
    """Return the content of an object of the cache, None where there is none."""
    for place in places(cache(root), md5):
        try:
            with open(place, "rb") as file:
                return file.read()
        except OSError:
            continue
    return None


def places(folder: str, md5: str) -> Iterator[str]:
    """Yield where a cache may have an object; a stranger's digest may be any path: then nowhere."""
    if _DIGEST.fullmatch(md5):
        yield os.path.join(folder, "files", "md5", md5[:2], md5[2:])
        yield os.path.join(folder, md5[:2], md5[2:])


def cache(root: str) -> str:
    """Return the cache's folder as the project's settings say."""
    import configparser

    found = os.path.join(root, ".dvc", "cache")
    settings = configparser.ConfigParser(interpolation=None, strict=False)
    for name in ("config", "config.local"):
        try:
            settings.read(os.path.join(root, ".dvc", name), encoding="utf-8")
        except (OSError, UnicodeDecodeError, configparser.Error):
            continue
        folder = settings.get("cache", "dir", fallback="")
        if folder:
            found = os.path.join(root, ".dvc", os.path.expanduser(folder))
            settings.clear()
    return found
