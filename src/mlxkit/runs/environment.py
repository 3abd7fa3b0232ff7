"""The fingerprint of the Python that a stage uses: version, platform, distributions, CUDA.

Never the value of an environment variable. What it takes to find out is kept below the project's
cache folder: a fingerprint that did not change costs a look at a few folders.
"""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic
from mlxkit.runs import distributions, python_facts
from mlxkit.runs.experiment import without_copy
from mlxkit.runs.interpreter import find_interpreter

FORMAT = 1
_DRIVER = "/sys/module/nvidia/version"

Json = dict[str, Any]


class Environment(NamedTuple):
    """A Python as a stage saw it: canonical JSON, and the sha256 of it."""

    digest: str
    content: bytes


def fingerprint(
    cmd: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    cache: str,
    *,
    untrusted: str | None = None,
) -> Environment | None:
    """Return the environment that the commands run in, None where they use no Python.

    `cache` is a folder to remember in. A Python whose program lies below `untrusted` is not
    started, only remembered: for commands that look at what somebody else may have written.
    """
    interpreter = find_interpreter(cmd, cwd, env)
    if interpreter is None:
        return None
    env = without_copy(env)
    key = _key(interpreter, cwd, env)
    memory = _Memory(cache)
    known = memory.get(key)
    if known is not None and known["stamp"] == _stamp(interpreter, known["folders"]):
        content = memory.content(known["digest"])
        if content is not None:
            return Environment(known["digest"], content)
    try:
        told, folders = _look(interpreter, cwd, env, known, untrusted)
    except MlxError:
        return None  # the command will say what is wrong with it
    stamp = _stamp(interpreter, folders)
    made = _made(told, folders)
    memory.put(key, {"stamp": stamp, "folders": folders, "told": told, "digest": made.digest}, made)
    return made


def read_content(cache: str, digest: str) -> bytes | None:
    """Return the environment of that digest, if it was seen here."""
    return _Memory(cache).content(digest)


def _look(
    interpreter: str, cwd: str, env: Mapping[str, str], known: Json | None, untrusted: str | None
) -> tuple[Json, list[str]]:
    program = os.path.realpath(interpreter)
    prefix, system_too = python_facts.virtual_environment(interpreter)
    if known is not None and known["stamp"]["program"] == _program_stamp(interpreter):
        told: Json = known["told"]
    elif untrusted is not None and program.startswith(untrusted.rstrip(os.sep) + os.sep):
        raise MlxError(f"{program} lies in the repository: a command that looks does not start it")
    else:
        told = python_facts.ask(program, prefix, env)
    folders = python_facts.path_of(told, system_too, cwd, env)
    return told, _with_pth(folders)


def _with_pth(folders: list[str]) -> list[str]:
    """Return the folders, each followed by those that its `.pth` files add."""
    found = []
    for folder in folders:
        found += [folder, *distributions.added_by_pth(folder)]
    return list(dict.fromkeys(found))


def _made(told: Json, folders: list[str]) -> Environment:
    document = {
        "format": FORMAT,
        "python": {"implementation": told["implementation"], "version": told["version"]},
        "platform": {name: told[name] for name in ("system", "machine", "libc")},
        "distributions": distributions.installed(folders),
        "conda": _conda(told),
        "cuda": {"driver": _driver()} if _driver() else None,
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    content = text.encode()
    import hashlib

    return Environment(hashlib.sha256(content, usedforsecurity=False).hexdigest(), content)


def _conda(told: Json) -> list[str] | None:
    """Return what conda installed beside Python (`mkl-2024.0-h213fc3f_49`), else None."""
    if "own" in told:
        return None
    try:
        names = os.listdir(os.path.join(told["prefix"], "conda-meta"))
    except OSError:
        return None
    return sorted(one.removesuffix(".json") for one in names if one.endswith(".json"))


def _driver() -> str | None:
    try:
        with open(_DRIVER, encoding="ascii") as file:
            return file.read().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


# What says that nothing changed


def _key(interpreter: str, cwd: str, env: Mapping[str, str]) -> str:
    """Return a digest of what the fingerprint depends on besides files."""
    paths = env.get("PYTHONPATH", "")
    relative = any(one and not os.path.isabs(one) for one in paths.split(os.pathsep))
    names = ("HOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE")
    asked = [interpreter, paths, cwd if relative else "", *(env.get(name) for name in names)]
    import hashlib

    return hashlib.sha256(json.dumps(asked).encode(), usedforsecurity=False).hexdigest()


def _program_stamp(interpreter: str) -> list[Any]:
    prefix, _ = python_facts.virtual_environment(interpreter)
    program = os.path.realpath(interpreter)
    return [program, _stat(program), prefix]


def _stamp(interpreter: str, folders: list[str]) -> Json:
    prefix, _ = python_facts.virtual_environment(interpreter)
    base = os.path.dirname(os.path.dirname(interpreter))
    return {
        "program": _program_stamp(interpreter),
        "venv": _stat(os.path.join(prefix, "pyvenv.cfg")) if prefix else None,
        "conda": _stat(os.path.join(base, "conda-meta")),
        "folders": [list(distributions.look(one)) for one in folders],
        "driver": _driver(),
    }


def _stat(path: str) -> list[int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return [status.st_mtime_ns, status.st_size, status.st_ino]


class _Memory:
    """What was found before: one small file an interpreter, one an environment."""

    def __init__(self, cache: str) -> None:
        self._folder = os.path.join(cache, "env")

    def get(self, key: str) -> Json | None:
        try:
            with open(self._path(f"python-{key[:32]}"), "rb") as file:
                found = json.loads(file.read())
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and found.get("format") == FORMAT
        return found if whole else None

    def put(self, key: str, known: Json, made: Environment) -> None:
        try:
            write_atomic(self._path(made.digest), made.content, sync=False)
            data = json.dumps({"format": FORMAT, **known}).encode()
            write_atomic(self._path(f"python-{key[:32]}"), data, sync=False)
        except OSError:
            pass  # only a memory

    def content(self, digest: str) -> bytes | None:
        try:
            with open(self._path(digest), "rb") as file:
                return file.read() or None
        except OSError:
            return None

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, f"{name}.json")
