"""A workflow's text from its template: whole lines are left out or put in, words replaced."""

import hashlib
import os
import re

from mlxkit.ci.options import Options, arguments
from mlxkit.ci.pins import PINS

HEAD = "# "
DIGEST = "# Unchanged as long as its digest is "
_WORD = re.compile(r"@([A-Z]+)@")
_ACTION = re.compile(r"@(actions/[a-z-]+)@")
_BLOCK = re.compile(r"( *)@(ACCESS|GIT|IDENTITY|INSTALL|TEST)@")
# Git asks this helper for a password when it needs one: no file holds the token, `git config` shows
# a variable's name, and another server is told nothing.
_GIT = (
    "GITHUB_TOKEN: ${{ github.token }}",
    'GIT_CONFIG_COUNT: "1"',
    "GIT_CONFIG_KEY_0: credential.${{ github.server_url }}.helper",
    "GIT_CONFIG_VALUE_0: "
    "'!f() { echo username=x-access-token; echo \"password=$GITHUB_TOKEN\"; }; f'",
)
_ROBOT = (
    "github-actions[bot]",
    "41898282+github-actions[bot]@users.noreply.github.com",
)
_IDENTITY = tuple(
    f"GIT_{role}_{part}: {value}"
    for role in ("AUTHOR", "COMMITTER")
    for part, value in zip(("NAME", "EMAIL"), _ROBOT, strict=True)
)


def render(name: str, options: Options) -> str:
    """Return the text of a workflow, with the digest of all that follows it in its head."""
    body = "".join(f"{line}\n" for line in _lines(_read(f"{name}.yml"), options))
    command = HEAD + arguments(options)
    return f"{command}\n{DIGEST}{_digest(command, body)}.\n{body}"


def script() -> str:
    """Return the beginning of the user's own deployment script."""
    return _read("deploy.sh")


def is_untouched(text: str) -> bool:
    """Tell whether this is what some version of mlx wrote, to the letter."""
    lines = text.split("\n", 2)
    return (
        len(lines) == 3
        and lines[1].startswith(DIGEST)
        and lines[1] == f"{DIGEST}{_digest(lines[0], lines[2])}."
    )


def _digest(command: str, body: str) -> str:
    return hashlib.sha256(f"{command}\n{body}".encode()).hexdigest()[:32]


def _read(name: str) -> str:
    path = os.path.join(os.path.dirname(__file__), "workflows", name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def _lines(template: str, options: Options) -> list[str]:
    found: list[str] = []
    wanted = True
    for line in template.splitlines():
        if line.startswith("#if "):
            wanted = line == f"#if {options.lock}"
        elif line == "#else":
            wanted = not wanted
        elif line == "#end":
            wanted = True
        elif wanted:
            found += _filled(line, options)
    return found


def _filled(line: str, options: Options) -> list[str]:
    block = _BLOCK.fullmatch(line)
    if block:
        return [block[1] + one for one in _block(block[2], options)]
    words = {
        "PYTHONS": "[" + ", ".join(f'"{one}"' for one in options.python) + "]",
        "PYTHON": f'"{options.python[-1]}"',
        "CRON": options.cron,
        "KEY": options.signing_key,
    }
    line = _ACTION.sub(lambda found: _pinned(found[1]), line)
    return [_WORD.sub(lambda found: words[found[1]], line)]


def _pinned(action: str) -> str:
    pin = PINS[action]
    return f"{action}@{pin.commit} # {pin.version}"


def _block(name: str, options: Options) -> tuple[str, ...]:
    secrets = tuple(f"{one}: ${{{{ secrets.{one} }}}}" for one in options.secrets)
    return {
        "ACCESS": (*_GIT, *secrets),
        "GIT": _GIT,
        "IDENTITY": _IDENTITY,
        "INSTALL": (options.install,),
        "TEST": (options.test,),
    }[name]
