"""The one door to DVC: its resolver, configuration and ignore rules; see also `dvc_delegate`.

Importing this module imports nothing of DVC: work that changes nothing must not pay for it.
DVC is pinned to a minor release, and `tests/unit/tools` holds the private parts used here.
"""

import os
import re
import sys
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from mlxkit.core.errors import ProjectError
from mlxkit.core.yaml import load
from mlxkit.tools.dvc_resolver import Content, ResolverSource, invalid, one_line, unresolved

IgnoreFilter = Callable[[str, list[str], list[str]], tuple[list[str], list[str]]]

_USUAL = {"md5": str, "size": int, "nfiles": int, "isexec": bool, "hash": str, "path": str}
_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?")
CONFIG_ENVIRONMENT = ("DVC_GLOBAL_CONFIG_DIR", "DVC_SYSTEM_CONFIG_DIR", "HOME", "XDG_CONFIG_HOME")


def signature() -> str:
    """Identify the installed DVC without importing it (its version file's size and time)."""
    spec = find_spec("dvc")
    if spec is None or spec.origin is None:
        raise ProjectError("dvc is not installed beside mlx", hint="run: pip install dvc")
    status = os.stat(os.path.join(os.path.dirname(spec.origin), "_version.py"))
    return f"{spec.origin}:{status.st_mtime_ns}:{status.st_size}"


def config_signature() -> str:
    """Tell, by what DVC reads for it, whether DVC's configuration could have changed."""
    parts = [os.environ.get(name, "") for name in CONFIG_ENVIRONMENT]
    return "\0".join(parts)


def load_config(root: str) -> tuple[dict[str, Any], list[str]]:
    """Return DVC's merged configuration as plain data, and the files that it is read from."""
    from dvc.config import Config, ConfigError

    try:
        config = Config(os.path.join(root, ".dvc"))
    except ConfigError as error:
        raise ProjectError(
            f"DVC's configuration is invalid: {one_line(error)}", hint="see: dvc config --list"
        ) from None
    return _plain(config), list(config.files.values())


def warm_up() -> None:
    """Import what reading a project needs: processes that are forked have it, too."""
    import dvc.config
    import dvc.parsing
    import dvc.schema
    import dvc.utils.serialize
    import voluptuous

    assert dvc.config and dvc.parsing and dvc.schema and dvc.utils.serialize and voluptuous


def resolve_project_file(
    root: str, config: dict[str, Any], path: str, text: str, content: Content | None = None
) -> tuple[dict[str, Any], list[str]]:
    """Turn the `dvc.yaml` at `path` into plain stages; also return every file that went in.

    Templating, `vars`, `foreach` and `matrix` are DVC's own. `content` is what a file of another
    revision holds, by its absolute path, None for no file. Raises ProjectError with file and line
    where the file is invalid.
    """
    import voluptuous
    from dvc.exceptions import DvcException
    from dvc.parsing import DataResolver
    from dvc.schema import COMPILED_MULTI_STAGE_SCHEMA

    shown = os.path.relpath(path)
    data = load(text, shown) or {}
    try:
        data = COMPILED_MULTI_STAGE_SCHEMA(data)
    except voluptuous.MultipleInvalid as error:
        raise invalid(error, text, shown) from None
    source = ResolverSource(config, content)
    try:
        resolver = DataResolver(source, os.path.dirname(path), data)
        resolved = {
            "stages": {
                name: stage
                for key in resolver.get_keys()
                for name, stage in resolver.resolve_one(key).items()
            },
            "groups": [
                name
                for name, stage in (data.get("stages") or {}).items()
                if {"foreach", "matrix"} & stage.keys()
            ],
            "metrics": resolver.resolve_metrics(),
            "params": resolver.resolve_params(),
            "plots": resolver.resolve_plots(),
            "artifacts": resolver.resolve_artifacts(),
            "datasets": resolver.resolve_datasets(),
        }
        resolved["vars"] = _variables(root, resolver.tracked_vars)
    except (DvcException, TypeError, ValueError) as error:
        raise unresolved(error, data, text, shown) from None
    return resolved, sorted(source.fs.asked)


def resolve_data_file(path: str, text: str) -> dict[str, Any]:
    """Return the validated content of a `.dvc` file; raises ProjectError with file and line."""
    shown = os.path.relpath(path)
    found = load(text, shown) or {}
    if _is_usual(found):
        return dict(found)
    import voluptuous
    from dvc.schema import COMPILED_SINGLE_STAGE_SCHEMA

    try:
        data: dict[str, Any] = COMPILED_SINGLE_STAGE_SCHEMA(found)
    except voluptuous.MultipleInvalid as error:
        raise invalid(error, text, shown) from None
    return data


def _is_usual(data: Any) -> bool:
    """Tell whether this is what `dvc add` writes, and so valid: the schema is slow to import."""
    if type(data) is not dict or list(data) != ["outs"] or type(data["outs"]) is not list:
        return False
    return all(
        type(out) is dict
        and out.keys() <= _USUAL.keys()
        and all(type(value) is _USUAL[key] for key, value in out.items())
        and _MD5.fullmatch(out.get("md5", "")) is not None
        for out in data["outs"]
    )


def ignore_filter(root: str) -> IgnoreFilter:
    """Return DVC's own `.dvcignore` rules as a filter of (folder, folders, files)."""
    from dvc.fs import localfs
    from dvc.ignore import DvcIgnoreFilter

    rules = DvcIgnoreFilter(localfs, root)

    def keep(folder: str, folders: list[str], files: list[str]) -> tuple[list[str], list[str]]:
        kept_folders, kept_files = rules(folder, folders, files)
        return kept_folders, kept_files

    return keep


def parse_parameters(path: str) -> Any:
    """Read a parameter file of any kind that DVC knows (TOML, Python, JSON, YAML)."""
    from dvc.fs import localfs
    from dvc.utils.serialize import ParseError, load_path

    try:
        return load_path(path, localfs)
    except ParseError as error:
        raise ProjectError(one_line(error), where=os.path.relpath(path)) from None


def parse_text(path: str, text: str, kind: str) -> Any:
    """As `parse_parameters`, of a text that was read already; `kind` is `toml` or `py`."""
    from dvc.utils.serialize import PARSERS, ParseError

    try:
        return PARSERS[f".{kind}"](text, path)
    except ParseError as error:
        raise ProjectError(one_line(error), where=path) from None


def hand_over(arguments: list[str], folder: str | None = None) -> int:
    """Run `dvc arguments` in a process of its own, in the same terminal; return its exit code."""
    import subprocess

    return subprocess.call([sys.executable, "-m", "dvc", *arguments], cwd=folder)


def capture(arguments: list[str]) -> tuple[int, str]:
    """Run `dvc arguments` quietly; return its exit code and the last line it said."""
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    said = (done.stderr or done.stdout).strip().splitlines()
    return done.returncode, said[-1] if said else ""


def _variables(root: str, tracked: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the values that templates took from files, by path from the root and by key."""
    found: dict[str, dict[str, Any]] = {}
    for files in tracked.values():
        for path, values in files.items():
            name = os.path.relpath(os.path.abspath(path), root)
            found.setdefault(name, {}).update(values)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)
