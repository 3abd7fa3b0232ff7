"""Finds the Python code that a stage's commands start, in the commands' text."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlxkit.pipeline.spec import Stage, commands
from mlxkit.runs.shell import Call, calls
from mlxkit.trace.events import is_python
from mlxkit.trace.reach import program_words

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh"})
_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_LAST_OPTION = re.compile(r"-[a-zA-Z]*[mc]")
_LAUNCHERS = frozenset(
    [
        *("torch.distributed.run", "torch.distributed.launch", "accelerate.commands.launch"),
        *("coverage", "cProfile", "pdb", "profile", "trace", "mpi4py", "memory_profiler"),
    ]
)
# Given a file of Python, they do not run it.
_READERS = frozenset(
    [
        *("cat", "cp", "mv", "rm", "ln", "ls", "wc", "head", "tail", "grep", "sed", "awk", "diff"),
        *("tar", "zip", "git", "echo", "printf", "test", "[", "find", "sort", "touch", "chmod"),
        *("md5sum", "sha256sum", "rsync", "scp", "curl", "dvc", "mlx", "aws", "gsutil", "tee"),
        *("black", "ruff", "mypy", "flake8", "pylint", "isort", "pyright", "bandit"),
    ]
)
_DEPTH = 3
_LARGEST = 1 << 20
_HEAD = re.compile(rb"#!.*\b(sh|bash|dash|zsh|ksh)\b")


class Program(NamedTuple):
    """Code that Python is asked to run: one of `script`, `module` and `code`.

    `first` is the folder that Python puts first on its path; `path` what PYTHONPATH adds.
    """

    cwd: str

    first: str
    path: tuple[str, ...]
    script: str | None = None
    module: str | None = None
    code: str | None = None


def programs(stage: Stage, env: Mapping[str, str], scripts: Mapping[str, str]) -> list[Program]:
    """Return what the stage's commands run; `scripts` are the project's commands and modules."""
    found: list[Program] = []
    for command in commands(stage):
        found += _of_command(command, stage.wdir, env, scripts, 0)
    return list(dict.fromkeys(found))


def _of_command(
    command: str, cwd: str, env: Mapping[str, str], scripts: Mapping[str, str], depth: int
) -> Iterator[Program]:
    for call in calls(command, cwd, env):
        words = program_words(call)
        if words:
            yield from _of_call(call._replace(words=words), scripts, depth)


def _of_call(call: Call, scripts: Mapping[str, str], depth: int) -> Iterator[Program]:
    program, rest = call.words[0], call.words[1:]
    name = os.path.basename(program)
    if is_python(program):
        yield from _of_python(call, rest)
        return
    if name in _SHELLS:
        yield from _of_shell(call, rest, scripts, depth)
        return
    if "/" not in program and name in scripts:
        # Its own folder, that of the environment's programs, is first: nothing of ours is there.
        yield Program(call.cwd, "", _paths(call), module=scripts[name])
    elif "/" in program and not program.endswith(".py"):
        yield from _of_file(os.path.join(call.cwd, program), call, scripts, depth)
    elif name not in _READERS:
        yield from _named_scripts(call, call.words)


def _named_scripts(call: Call, words: list[str]) -> Iterator[Program]:
    """Yield the scripts that a launcher is given: `torchrun train.py`, `./train.py`."""
    for word in words:
        path = os.path.normpath(os.path.join(call.cwd, word))
        if word.endswith(".py") and os.path.isfile(path):
            yield _script(call, path)


def _script(call: Call, path: str) -> Program:
    # Python looks for modules beside the file that a link leads to.
    return Program(call.cwd, os.path.dirname(os.path.realpath(path)), _paths(call), script=path)


def _of_python(call: Call, rest: list[str]) -> Iterator[Program]:
    while rest:
        word = rest[0]
        if _LAST_OPTION.fullmatch(word):
            if len(rest) > 1:
                yield _given(call, f"-{word[-1]}", rest[1])
                if rest[1] in _LAUNCHERS:
                    yield from _named_scripts(call, rest[2:])
            return
        if not word.startswith("-"):
            path = os.path.normpath(os.path.join(call.cwd, word))
            if os.path.isdir(path):
                main = os.path.join(path, "__main__.py")
                yield Program(call.cwd, path, _paths(call), script=main)
            else:
                yield _script(call, path)
            return
        rest = rest[2 if word in _WITH_VALUE else 1 :]


def _given(call: Call, option: str, value: str) -> Program:
    if option == "-m":
        return Program(call.cwd, call.cwd, _paths(call), module=value)
    return Program(call.cwd, call.cwd, _paths(call), code=value)


def _of_shell(
    call: Call, rest: list[str], scripts: Mapping[str, str], depth: int
) -> Iterator[Program]:
    """Follow `sh -c TEXT` and `sh FILE`."""
    while rest and rest[0].startswith("-"):
        option, rest = rest[0], rest[1:]
        if not option.startswith("--") and "c" in option and rest and depth < _DEPTH:
            yield from _of_command(rest[0], call.cwd, call.env, scripts, depth + 1)
            return
    if rest:
        yield from _of_file(os.path.join(call.cwd, rest[0]), call, scripts, depth, shell=True)


def _of_file(
    path: str, call: Call, scripts: Mapping[str, str], depth: int, *, shell: bool = False
) -> Iterator[Program]:
    """Read a script: one of the shell's is followed, one of Python's is run."""
    try:
        with open(path, "rb") as file:
            data = file.read(_LARGEST)
    except OSError:
        return
    first = data.split(b"\n", 1)[0]
    if shell or _HEAD.match(first):
        if depth < _DEPTH:
            text = data.decode("utf-8", errors="replace")
            yield from _of_command(text, call.cwd, call.env, scripts, depth + 1)
    elif first.startswith(b"#!") and b"python" in first:
        yield _script(call, os.path.normpath(path))


def _paths(call: Call) -> tuple[str, ...]:
    given = call.env.get("PYTHONPATH", "")
    return tuple(
        os.path.normpath(os.path.join(call.cwd, one)) for one in given.split(os.pathsep) if one
    )
