"""Where a repository has its packages: as pyproject says, and as installed in place."""

import ast
import os
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mlxkit.pipeline.spec import inside
from mlxkit.runs.distributions import added_by_pth


class Packages(NamedTuple):
    """Folders that are on Python's path, and commands of the project with their modules."""

    folders: tuple[str, ...]
    scripts: Mapping[str, str]


def find_packages(top: str, starts: Iterable[str], python: str | None) -> Packages:
    """Read the `pyproject.toml` at and above each of the folders `starts`, up to `top`."""
    folders: dict[str, None] = {}
    scripts: dict[str, str] = {}
    for folder in _upwards(top, starts):
        try:
            with open(os.path.join(folder, "pyproject.toml"), "rb") as file:
                project = tomllib.load(file)
        except (OSError, ValueError):
            project = {}
        for one in _declared(project):
            folders[os.path.normpath(os.path.join(folder, one))] = None
        if project or os.path.exists(os.path.join(folder, "setup.py")):
            folders[folder] = None
        folders[os.path.join(folder, "src")] = None
        scripts |= {name: where for name, where in _scripts(project).items() if name not in scripts}
    for one in _editable(python):
        if inside(one, top):
            folders[one] = None
    there = tuple(one for one in folders if inside(one, top) and os.path.isdir(one))
    return Packages(there, scripts)


def _upwards(top: str, starts: Iterable[str]) -> list[str]:
    found: dict[str, None] = {}
    for start in starts:
        folder = start
        while inside(folder, top):
            found[folder] = None
            if folder == top:
                break
            folder = os.path.dirname(folder)
    return list(found)


def _declared(project: Mapping[str, Any]) -> list[str]:
    """Return the folders that hold packages, as the known build systems are told of them."""
    found: list[Any] = []
    find = _at(project, "tool", "setuptools", "packages", "find", "where")
    found += find if isinstance(find, list) else []
    places = _at(project, "tool", "setuptools", "package-dir")
    if isinstance(places, dict) and "" in places:
        found.append(places[""])
    wheel = _at(project, "tool", "hatch", "build", "targets", "wheel", "packages")
    found += [os.path.dirname(str(one)) for one in wheel] if isinstance(wheel, list) else []
    dev = _at(project, "tool", "hatch", "build", "dev-mode-dirs")
    found += dev if isinstance(dev, list) else []
    poetry = _at(project, "tool", "poetry", "packages")
    for one in poetry if isinstance(poetry, list) else []:
        found.append(one.get("from", "") if isinstance(one, dict) else "")
    root = _at(project, "tool", "uv", "build-backend", "module-root")
    pdm = _at(project, "tool", "pdm", "build", "package-dir")
    return [str(one) for one in [*found, root, pdm] if isinstance(one, str)]


def _scripts(project: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for keys in (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts")):
        table = _at(project, *keys)
        for name, where in table.items() if isinstance(table, dict) else ():
            if isinstance(where, str):
                found.setdefault(name, where.partition(":")[0].strip())
    return found


def _at(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _editable(python: str | None) -> list[str]:
    """Return the folders that the environment of `python` has installed in place."""
    if python is None:
        return []
    library = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(python))), "lib")
    found = []
    for name in _listed(library):
        site = os.path.join(library, name, "site-packages")
        if name.startswith(("python", "pypy")) and os.path.isdir(site):
            found += added_by_pth(site)
            for one in _listed(site):
                if one.startswith("__editable__") and one.endswith("_finder.py"):
                    found += _mapped(os.path.join(site, one))
    return [one for one in found if os.path.isdir(one)]


def _mapped(finder: str) -> list[str]:
    """Return the folders around the packages that setuptools' finder names."""
    try:
        with open(finder, "rb") as file:
            body = ast.parse(file.read()).body
    except (OSError, ValueError, SyntaxError):
        return []
    for one in body:
        targets: list[ast.expr] = one.targets if isinstance(one, ast.Assign) else []
        targets = [one.target] if isinstance(one, ast.AnnAssign) else targets
        if any(isinstance(target, ast.Name) and target.id == "MAPPING" for target in targets):
            try:
                mapping = ast.literal_eval(one.value)  # type: ignore[attr-defined]
            except ValueError:
                return []
            return [os.path.dirname(str(path)) for path in dict(mapping).values()]
    return []


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
