"""What can be seen of a command without strace: only what Python itself does."""

import os
import re
from collections.abc import Mapping

from mlxkit.core.errors import MlxError
from mlxkit.pipeline.spec import Stage, commands
from mlxkit.runs import wrappers
from mlxkit.runs.shell import Call, calls, which
from mlxkit.trace.events import is_python

HINT = "install strace (Debian: apt install strace), which sees every program"
# They read and write no file's content (in the shell itself, or as programs).
_HARMLESS = frozenset(
    [
        *(":", "[", "echo", "exit", "export", "false", "mkdir", "printf", "pwd", "rm", "rmdir"),
        *("set", "sleep", "test", "trap", "true", "ulimit", "umask", "wait", "date"),
    ]
)
_REDIRECTED = re.compile(r"(?<![0-9&>])[0-9]?>>?(?! */dev/null)(?![>&])|<(?![<(&])")
_VALUE = re.compile(r"[0-9.:,]+[a-z]?")
_UNSEEN_OPTIONS = re.compile(r"-[a-zA-Z]*[IES]")


def require_reach(stage: Stage, address: str, env: Mapping[str, str]) -> None:
    """Raise MlxError where a stage's command does what the audit hook of Python cannot see."""
    for command in commands(stage):
        if _REDIRECTED.search(_unquoted(command)):
            _refuse(address, "its shell reads or writes files itself (`<`, `>`)")
        for call in calls(command, stage.wdir, env):
            problem = _problem(call)
            if problem is not None:
                _refuse(address, problem)


def _refuse(address: str, why: str) -> None:
    raise MlxError(f"there is no way to trace stage '{address}': {why}", hint=HINT)


def _unquoted(command: str) -> str:
    return re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", "''", command)


def _problem(call: Call) -> str | None:
    """Say what of one program cannot be seen, None where all can."""
    words = program_words(call)
    if not words:
        return f"what '{os.path.basename(call.words[0])}' starts is not known"
    if is_python(words[0]):
        for option in words[1:]:
            if not option.startswith("-") or option in ("-m", "-c"):
                return None
            if _UNSEEN_OPTIONS.fullmatch(option):
                return f"`python {option}` keeps out what would watch it"
        return None
    if words[0] in _HARMLESS or _is_python_script(words[0], call):
        return None
    return f"it starts '{os.path.basename(words[0])}', which only strace can watch"


def program_words(call: Call) -> list[str]:
    """Return the words from the program on that `env`, `time`, `uv run` and their like start."""
    for _ in range(4):
        name = os.path.basename(call.words[0])
        if name in wrappers.RUNNERS:
            if "run" not in call.words:
                return []
            inner = wrappers.inside(call)
            rest = call.words[call.words.index("run") + 1 :]
            if inner is not None and inner.words == ["python"] and rest:
                return ["python", *_without_options(rest)]
            return inner.words if inner is not None else _without_options(rest)
        if name not in wrappers.PREFIXES:
            return call.words
        inner = wrappers.without_prefix(call)
        words = _from_program(inner)
        if not words:
            return []
        call = inner._replace(words=words)
    return call.words


def _from_program(call: Call) -> list[str]:
    """Skip the values of a prefix's options (`nice -n 5`, `timeout 60`)."""
    rest = call.words
    for index, word in enumerate(rest):
        if which(word, call.cwd, call.env) is not None:
            return rest[index:]
    while rest and (rest[0].startswith("-") or _VALUE.fullmatch(rest[0])):
        rest = rest[1:]
    return rest  # a program that is not here


def _without_options(words: list[str]) -> list[str]:
    while words and words[0].startswith("-"):
        if words[0] in ("-m", "--module"):
            return ["python", "-m", *words[1:]]
        words = words[1:]
    return words


def _is_python_script(word: str, call: Call) -> bool:
    path = which(word, call.cwd, call.env)
    if path is None:
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(256)
    except OSError:
        return False
    first = head.split(b"\n", 1)[0]
    return first.startswith(b"#!") and (b"python" in first or b"\n'''exec' " in head)
