"""Finds the Python that a stage's command uses, as the shell would find it; starts nothing."""

import os
import re
from collections.abc import Mapping, Sequence

from mlxkit.runs import wrappers
from mlxkit.runs.shell import Call, calls, which

_PYTHON = re.compile(r"(python|pypy)[0-9.]*t?$")
_MENTIONED = re.compile(rb"\b(?:python|pypy)[0-9.]*\b")
_EXEC = re.compile(r"""'''exec' (?:"([^"]+)"|(\S+))""")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish"})
# They start what their own files say, which may well be Python.
_LAUNCHERS = frozenset({"make", "gmake", "just", "task", "ninja", "parallel", "xargs", "find"})
_SCANNED = 1 << 16
"""So much of a script is read, in bytes."""
_DEPTH = 3


class _Unknown(Exception):
    """The command chooses an environment that is not there, or cannot be told."""


def find_interpreter(commands: Sequence[str], cwd: str, env: Mapping[str, str]) -> str | None:
    """Return the path of the first Python that the commands start, None where there is none.

    A command that seems to use Python in a way that cannot be followed has the `python` of its
    PATH; one whose environment cannot be told, or is yet to be made, has none.
    """
    try:
        return _find(commands, cwd, env, 0)
    except _Unknown:
        return None


def _find(commands: Sequence[str], cwd: str, env: Mapping[str, str], depth: int) -> str | None:
    for command in commands:
        for call in calls(command, cwd, env):
            found = _of_call(call, depth)
            if found is not None:
                return found
    if any(_MENTIONED.search(command.encode()) for command in commands):
        return python_on_path(cwd, env)
    return None


def python_on_path(cwd: str, env: Mapping[str, str]) -> str | None:
    """Return the `python` (else `python3`) that a command in `cwd` would start, or None."""
    for name in ("python", "python3"):
        found = which(name, cwd, env)
        if found is not None:
            return _behind_shim(found, cwd, env)
    return None


def _of_call(call: Call, depth: int) -> str | None:
    name = os.path.basename(call.words[0])
    if name in wrappers.RUNNERS:
        inner = wrappers.inside(call)
        if inner is None:
            raise _Unknown
        return _of_call(inner, depth)
    if name in wrappers.PREFIXES:
        return _first_of(wrappers.without_prefix(call), depth)
    path = which(call.words[0], call.cwd, call.env)
    if path is None:
        return None
    if _PYTHON.match(name):
        return _behind_shim(path, call.cwd, call.env)
    if name in _SHELLS:
        return _of_shell(call, depth)
    if name in _LAUNCHERS:
        return _first_of(call, depth) or python_on_path(call.cwd, call.env)
    return _of_file(path, call, depth)


def _first_of(call: Call, depth: int) -> str | None:
    """Return the Python of the first word that is a program which has one."""
    for index, word in enumerate(call.words):
        if index == 0 and os.path.basename(word) in _LAUNCHERS:
            continue
        if not word.startswith("-") and which(word, call.cwd, call.env) is not None:
            found = _of_call(call._replace(words=call.words[index:]), depth)
            if found is not None:
                return found
    return None


def _of_shell(call: Call, depth: int) -> str | None:
    """Follow `sh -c TEXT` and `sh FILE`."""
    rest = call.words[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if not option.startswith("--") and "c" in option and rest:
            return _find([rest[0]], call.cwd, call.env, depth + 1)
    return _of_file(os.path.join(call.cwd, rest[0]), call, depth, shell=True) if rest else None


def _of_file(path: str, call: Call, depth: int, *, shell: bool = False) -> str | None:
    """Return the Python that a script's `#!` line names, or that a shell script starts."""
    try:
        with open(path, "rb") as file:
            head = file.read(2)
            if head != b"#!" and not shell:
                return None
            text = (head + file.read(_SCANNED)).decode("utf-8", errors="replace")
    except OSError:
        return None
    if not text.startswith("#!"):
        return _of_script(text, call, depth)
    first, _, rest = text.partition("\n")
    words = first[2:].split()
    if words and os.path.basename(words[0]) == "env":
        words = [one for one in words[1:] if not one.startswith("-") and "=" not in one]
    if not words:
        return None
    name = os.path.basename(words[0])
    if _PYTHON.match(name):
        found = which(words[0], call.cwd, call.env)
        return _behind_shim(found, call.cwd, call.env) if found else None
    if name not in _SHELLS:
        return None
    # How pip writes a `#!` line that is too long, or has a space in it.
    quoted = _EXEC.match(rest)
    if quoted:
        return which(quoted[1] or quoted[2], call.cwd, call.env)
    return _of_script(rest, call, depth)


def _of_script(text: str, call: Call, depth: int) -> str | None:
    if depth >= _DEPTH:
        return None
    return _find([text], call.cwd, call.env, depth + 1)


def _behind_shim(path: str, cwd: str, env: Mapping[str, str]) -> str | None:
    """Return the interpreter that a shim of pyenv stands for; any other path as it is."""
    folder, name = os.path.split(path)
    if os.path.basename(folder) != "shims":
        return path
    root = env.get("PYENV_ROOT") or os.path.dirname(folder)
    version = env.get("PYENV_VERSION") or wrappers.nearest_line(".python-version", cwd)
    version = version or wrappers.first_line(os.path.join(root, "version"))
    for one in (version or "").replace(":", " ").split():
        found = os.path.join(root, "versions", one, "bin", name)
        if os.access(found, os.X_OK):
            return found
    return None
