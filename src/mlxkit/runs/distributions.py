"""Lists the distributions in folders of a Python's path, as `importlib.metadata` there would."""

import json
import os
import re
from collections.abc import Iterable
from typing import NamedTuple

_HEADER_BYTES = 1 << 16
_INFO = (".dist-info", ".egg-info")


class Seen(NamedTuple):
    """A folder of the path as it was found: enough to know later that nothing was installed."""

    folder: str
    stamp: list[int] | None
    """Its times and inode; None where there is no such folder."""
    names: list[str]
    """What in it says what is installed: `.dist-info` and the like, `.pth` with their times."""


def look(folder: str) -> Seen:
    """Look at one folder, reading nothing in it."""
    try:
        status = os.stat(folder)
        listed = os.listdir(folder)
    except OSError:
        return Seen(folder, None, [])
    names = sorted(one for one in listed if one.endswith((*_INFO, ".pth")))
    told = [_with_times(folder, one) if one.endswith(".pth") else one for one in names]
    return Seen(folder, [status.st_mtime_ns, status.st_ino], told)


def _with_times(folder: str, name: str) -> str:
    try:
        status = os.stat(os.path.join(folder, name))
    except OSError:
        return name
    return f"{name} {status.st_mtime_ns} {status.st_size}"


def added_by_pth(folder: str) -> list[str]:
    """Return the folders that the `.pth` files in `folder` add to the path.

    Their lines that are code are not run: what those add is import hooks, not distributions.
    """
    found = []
    for seen in look(folder).names:
        name = seen.partition(".pth")[0] + ".pth"
        if not seen.startswith(name + " ") or name.startswith("."):
            continue
        for line in _text(os.path.join(folder, name)).splitlines():
            if line.strip() and not line.startswith(("#", "import ", "import\t")):
                path = os.path.normpath(os.path.join(folder, line.strip()))
                if os.path.exists(path):
                    found.append(path)
    return found


def installed(folders: Iterable[str]) -> dict[str, str]:
    """Return version by normalized name; of several, the one that comes first on the path."""
    found: dict[str, str] = {}
    for folder in folders:
        here: dict[str, set[str]] = {}
        for info in _infos(folder):
            name, version = _name_and_version(info)
            if name and not name.startswith("~"):  # pip's name for what it was removing
                here.setdefault(normalized(name), set()).add(version)
        for name, versions in here.items():
            found.setdefault(name, ", ".join(sorted(versions)))
    return dict(sorted(found.items()))


def normalized(name: str) -> str:
    """Return a distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _infos(folder: str) -> list[str]:
    if folder.endswith(".egg"):
        inner = os.path.join(folder, "EGG-INFO")
        return [inner] if os.path.isdir(inner) else []
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if name.endswith(_INFO)]


def _name_and_version(info: str) -> tuple[str, str]:
    text = (
        _text(os.path.join(info, "METADATA"))
        or _text(os.path.join(info, "PKG-INFO"))
        or (_text(info) if not os.path.isdir(info) else "")
    )
    headers = {}
    for line in text.splitlines():
        if not line:
            break
        key, colon, value = line.partition(":")
        if colon and key.lower() not in headers:
            headers[key.lower()] = value.strip()
    stem = os.path.basename(info).rpartition(".")[0]
    name, _, rest = stem.partition("-")
    version = headers.get("version") or rest.partition("-py")[0]
    return headers.get("name") or name, version + _commit(info)


def _commit(info: str) -> str:
    """Return the commit that was installed from, if it was one; never the address: it may hold a
    password.
    """
    try:
        told = json.loads(_text(os.path.join(info, "direct_url.json")) or "{}")
        return f" ({told['vcs_info']['vcs']} {told['vcs_info']['commit_id'][:12]})"
    except (ValueError, KeyError, TypeError):
        return ""


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(_HEADER_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""
