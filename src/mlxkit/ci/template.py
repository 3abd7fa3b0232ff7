"""A workflow's text from its template: whole lines are left out or put in, words replaced."""

import hashlib
import os
import re

from mlxkit.ci.options import Options, arguments
from mlxkit.ci.pins import PINS

HEAD = "# "
DIGEST = "# To change an option, run that again; a file that you edit is left alone. Its digest is "
_WORD = re.compile(r"@([A-Z]+)@")
_ACTION = re.compile(r"@(actions/[a-z-]+)@")
_BLOCK = re.compile(r"( *)@(DEPLOY|GIT|IDENTITY|INSTALL|PUSH|SECRETS|TEST)@")
# Git asks this helper for a password when it needs one: no file holds the token, `git config` shows
# a variable's name, and another server is told nothing.
_CREDENTIAL = (
    'GIT_CONFIG_COUNT: "2"',
    # Empty: the machine's own helpers are not asked, nor given the token to keep.
    "GIT_CONFIG_KEY_0: credential.helper",
    'GIT_CONFIG_VALUE_0: ""',
    "GIT_CONFIG_KEY_1: credential.${{ github.server_url }}.helper",
    "GIT_CONFIG_VALUE_1: "
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


def script(options: Options) -> str:
    """Return the beginning of the user's own deployment script."""
    return _read("deploy.sh").replace("@OF@", suffix(options.folder))


def is_untouched(text: str) -> bool:
    """Tell whether this is what some version of mlx wrote, to the letter."""
    lines = text.split("\n", 2)
    return (
        len(lines) == 3
        and lines[1].startswith(HEAD)
        # Whatever words some version puts around it.
        and lines[1].endswith(f" digest is {_digest(lines[0], lines[2])}.")
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
    holds = {options.lock, "folder" if options.folder else ""}
    for line in template.splitlines():
        if line.startswith("#if "):
            wanted = line.removeprefix("#if ") in holds
        elif line == "#else":
            wanted = not wanted
        elif line == "#end":
            wanted = True
        elif wanted:
            filled = _filled(line, options)
            if not filled and found[-1].strip() == "env:":
                found.pop()
            found += filled
    return found


def _filled(line: str, options: Options) -> list[str]:
    block = _BLOCK.fullmatch(line)
    if block:
        return [block[1] + one for one in _block(block[2], options)]
    labels = options.runner.split(",")
    words = {
        "PYTHONS": "[" + ", ".join(f'"{one}"' for one in options.python) + "]",
        "PYTHON": f'"{options.python[-1]}"',
        "RUNNER": labels[0] if len(labels) == 1 else f"[{', '.join(labels)}]",
        "TIMEOUT": options.timeout,
        "CRON": options.cron,
        "KEY": options.signing_key,
        "FOLDER": options.folder,
        "OF": suffix(options.folder),
        "IN": f" ({options.folder})" if options.folder else "",
        "TAGS": f"{options.folder}=" if options.folder else "",
    }
    line = _ACTION.sub(lambda found: _pinned(found[1]), line)
    return [_WORD.sub(lambda found: words[found[1]], line)]


def suffix(folder: str) -> str:
    """Return what tells a project in a folder from others, in names; empty for the top."""
    return f"-{folder.replace('/', '--')}" if folder else ""


def _pinned(action: str) -> str:
    pin = PINS[action]
    return f"{action}@{pin.commit} # {pin.version}"


def _block(name: str, options: Options) -> tuple[str, ...]:
    # With GitHub's own token a push starts no workflow, and no protected branch takes it.
    own = f"secrets.{options.push_token}" if options.push_token else "github.token"
    git = ("GITHUB_TOKEN: ${{ github.token }}", *_CREDENTIAL)
    return {
        "DEPLOY": _secrets(options.deploy_secrets),
        "GIT": git,
        "IDENTITY": _IDENTITY,
        "INSTALL": (options.install,),
        "PUSH": (f"GITHUB_TOKEN: ${{{{ {own} }}}}", *_CREDENTIAL),
        "SECRETS": _secrets(options.secrets),
        "TEST": (options.test,),
    }[name]


def _secrets(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{one}: ${{{{ secrets.{one} }}}}" for one in names)
