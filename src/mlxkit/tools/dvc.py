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
from mlxkit.core.yaml import key_line, load

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
            f"DVC's configuration is invalid: {_one_line(error)}", hint="see: dvc config --list"
        ) from None
    return _plain(config), list(config.files.values())


def resolve_project_file(
    root: str, config: dict[str, Any], path: str, text: str
) -> tuple[dict[str, Any], list[str]]:
    """Turn the `dvc.yaml` at `path` into plain stages; also return every file that went in.

    Templating, `vars`, `foreach` and `matrix` are DVC's own. Raises ProjectError with file and
    line where the file is invalid.
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
        raise _invalid(error, text, shown) from None
    source = _ResolverSource(config)
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
    except (DvcException, TypeError, ValueError) as error:
        raise _unresolved(error, data, text, shown) from None
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
        raise _invalid(error, text, shown) from None
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
        raise ProjectError(_one_line(error), where=os.path.relpath(path)) from None


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


class _RecordingFs:
    """DVC's local file system that notes which files the resolver asked for, present or not."""

    def __init__(self) -> None:
        from dvc.fs import localfs

        self._fs = localfs
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fs, name)

    def exists(self, path: str) -> bool:
        self.asked.add(os.path.abspath(path))
        return bool(self._fs.exists(path))

    def open(self, path: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.add(os.path.abspath(path))
        return self._fs.open(path, *args, **kwargs)


class _ResolverSource:
    """The two things that DVC's resolver asks of a repository."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.fs = _RecordingFs()
        self.config = config


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, float, type(None))) else str(value)


def _invalid(error: Any, text: str, shown: str) -> ProjectError:
    """Say where a file breaks its schema: the deepest error is the telling one."""
    worst = max(error.errors, key=lambda one: len(one.path))
    path = tuple(getattr(part, "schema", part) for part in worst.path)
    line = None
    for end in range(len(path), -1, -1):
        line = key_line(text, path[:end])
        if line is not None:
            break
    dotted = ".".join(str(part) for part in path)
    what = worst.error_message if hasattr(worst, "error_message") else str(worst)
    return ProjectError(
        f"{what} at '{dotted}'" if dotted else str(what),
        where=f"{shown}:{line}" if line else shown,
        hint=f"correct '{dotted}' in {shown}" if dotted else f"correct {shown}",
    )


def _unresolved(error: Exception, data: dict[str, Any], text: str, shown: str) -> ProjectError:
    message = _one_line(error)
    names = sorted(data.get("stages") or {}, key=len, reverse=True)
    named = [name for name in names if f"stages.{name}" in message]
    named += [name for name in names if f"'{name}" in message]
    line = key_line(text, ("stages", named[0])) if named else None
    return ProjectError(
        message,
        where=f"{shown}:{line}" if line else shown,
        hint="check the name in `${...}` and the files listed under `vars`",
    )


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
