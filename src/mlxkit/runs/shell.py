"""Reads a shell command far enough to know which programs it starts, where and on which PATH.

Not a shell: what is computed while the command runs (`$(...)`, loops over files) is not known, and
left out.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_SEPARATORS = ";&|()\n"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_KEYWORDS = frozenset({"!", "{", "}", "if", "then", "else", "elif", "fi", "while", "until", "do"})
_NO_PROGRAMS = frozenset({"done", "for", "case", "esac", "function"})


class Call(NamedTuple):
    """One program started: its words, and the folder and variables that it sees."""

    words: list[str]
    cwd: str
    env: Mapping[str, str]


def calls(command: str, cwd: str, env: Mapping[str, str]) -> Iterator[Call]:
    """Yield the programs that `command` starts, in order, following `cd`, `export`, `activate`."""
    env = dict(env)
    for simple in _simple_commands(command):
        words = [expand(word, env) for word in simple]
        assigned = {}
        while words and (words[0] in _KEYWORDS or _ASSIGNMENT.match(words[0])):
            name, equals, value = words.pop(0).partition("=")
            if equals:
                assigned[name] = value
        if not words:
            env.update(assigned)
        elif words[0] in _NO_PROGRAMS:
            continue
        elif words[0] == "cd" and len(words) > 1:
            cwd = os.path.normpath(os.path.join(cwd, words[-1]))
        elif words[0] == "export":
            pairs = [one.partition("=") for one in words[1:] if _ASSIGNMENT.match(one)]
            env.update({name: value for name, _, value in pairs})
        elif words[0] == "unset":
            for name in words[1:]:
                env.pop(name, None)
        elif words[0] in (".", "source") and len(words) > 1:
            env = _activated(os.path.join(cwd, words[1]), env)
        else:
            yield Call(words, cwd, {**env, **assigned})


def expand(word: str, env: Mapping[str, str]) -> str:
    """Fill in `$NAME` and `${NAME}`, and `~` at the beginning."""
    if "$" in word:
        word = _VARIABLE.sub(lambda found: env.get(found[1] or found[2], ""), word)
    if word == "~" or word.startswith("~/"):
        word = env.get("HOME", "~") + word[1:]
    return word


def _simple_commands(command: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(
        command.replace("\\\n", " "), posix=True, punctuation_chars=_SEPARATORS + "<>"
    )
    lexer.commenters = "#"
    lexer.whitespace = " \t\r"
    lexer.wordchars += "$%+,:@[]!{}"
    words: list[str] = []
    redirected = False
    try:
        for token in lexer:
            if token[0] in "<>" or token in ("&>", "&>>"):
                if words and words[-1].isdigit():
                    words.pop()  # `2>`: which stream, no word
                redirected = True
            elif token[0] in _SEPARATORS and not token.strip(_SEPARATORS + "<>"):
                if words:
                    yield words
                words, redirected = [], False
            elif redirected:
                redirected = False
            else:
                words.append(token)
    except ValueError:
        pass  # an open quote: the shell will say so
    if words:
        yield words


def _activated(script: str, env: dict[str, str]) -> dict[str, str]:
    """Return the variables after `. VENV/bin/activate`; those as they were after anything else."""
    if os.path.basename(script) != "activate":
        return env
    folder = os.path.dirname(os.path.normpath(script))
    return with_path(folder, {**env, "VIRTUAL_ENV": os.path.dirname(folder)})


def with_path(folder: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with `folder` first on the PATH."""
    return {**env, "PATH": folder + os.pathsep + env.get("PATH", os.defpath)}


def which(name: str, cwd: str, env: Mapping[str, str]) -> str | None:
    """Return the file that the shell would start for `name`, or None."""
    if "/" in name:
        return _runnable(os.path.normpath(os.path.join(cwd, name)))
    for folder in env.get("PATH", os.defpath).split(os.pathsep):
        found = _runnable(os.path.normpath(os.path.join(cwd, folder, name)))
        if found is not None:
            return found
    return None


def _runnable(path: str) -> str | None:
    return path if os.path.isfile(path) and os.access(path, os.X_OK) else None
