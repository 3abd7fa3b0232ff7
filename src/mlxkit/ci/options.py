"""What `mlx ci init` can be told: read from the command line or from a file that it wrote."""

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, get_args

from mlxkit.core.errors import UsageError

Workflow = Literal["test", "train", "review", "deploy", "retrain"]
WORKFLOWS: tuple[str, ...] = get_args(Workflow)
LOCKS = ("require", "commit")
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PYTHON = re.compile(r"3\.\d{1,2}(\.\d{1,2})?")
_LABELS = re.compile(r"[A-Za-z0-9_.-]+(,[A-Za-z0-9_.-]+)*")
_MINUTES = re.compile(r"[1-9]\d{0,4}")
_FIELD = r"[0-9A-Za-z*/,\-]+"
_CRON = re.compile(rf"{_FIELD}( {_FIELD}){{4}}")
_FOLDER = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*", re.ASCII)


class Options(NamedTuple):
    """All that decides the text of the workflows."""

    lock: str = "require"
    python: tuple[str, ...] = ("3.12",)
    install: str = ""
    test: str = ""
    secrets: tuple[str, ...] = ()
    deploy_secrets: tuple[str, ...] = ()
    signing_key: str = "MLX_SIGNING_KEY"
    push_token: str = ""
    runner: str = "ubuntu-latest"
    timeout: str = "360"
    cron: str = "17 3 * * 1"
    only: tuple[str, ...] = WORKFLOWS
    folder: str = ""
    """The project's, from the repository's top; empty where it is that."""


_FLAGS = {
    "--lock": "lock", "--python": "python", "--install": "install", "--test": "test",
    "--secret": "secrets", "--deploy-secret": "deploy_secrets", "--signing-key": "signing_key",
    "--push-token": "push_token", "--runner": "runner", "--timeout": "timeout", "--cron": "cron",
    "--only": "only",
}  # fmt: skip
_ALWAYS = ("lock", "python", "install", "test", "signing_key", "cron")
"""What a first line has even where it is the default: what a reader most wants to know."""


def check(options: Options) -> Options:
    """Refuse what would be no workflow, or another one than meant; raises UsageError."""
    if options.lock not in LOCKS:
        raise UsageError(f"--lock is {options.lock!r}", hint="choose: commit, require")
    for one in options.only:
        if one not in WORKFLOWS:
            raise UsageError(
                f"there is no workflow {one!r}", hint=f"choose: {', '.join(WORKFLOWS)}"
            )
    _fits("--python", options.python, _PYTHON, "write a version: --python 3.12")
    _fits("--runner", [options.runner], _LABELS, "labels: --runner self-hosted,gpu")
    _fits("--timeout", [options.timeout], _MINUTES, "minutes: --timeout 360")
    _fits("--cron", [options.cron], _CRON, "five fields: --cron '17 3 * * 1'")
    _check_secrets(options)
    for name, script in (("--install", options.install), ("--test", options.test)):
        if not script.strip() or not script.isprintable():
            raise UsageError(f"{name} is no command of one line", hint="join commands with &&")
        if "${{" in script:
            raise UsageError(f"{name} has an expression of GitHub's in it", hint="use $VARIABLES")
    if options.folder and not _FOLDER.fullmatch(options.folder):
        raise UsageError(
            f"the folder {options.folder!r} cannot be in a workflow's filters",
            hint="its name may have letters, digits, '_', '-' and '.'",
        )
    return options


def _fits(flag: str, values: Iterable[str], pattern: re.Pattern[str], hint: str) -> None:
    for one in values:
        if not pattern.fullmatch(one):
            raise UsageError(f"{flag} is {one!r}", hint=hint)


def _check_secrets(options: Options) -> None:
    named = (*options.secrets, *options.deploy_secrets, options.signing_key, options.push_token)
    for one in filter(None, named):
        if not _SECRET.fullmatch(one) or one.upper().startswith("GITHUB_"):
            raise UsageError(
                f"{one!r} cannot be the name of a secret",
                hint="letters, digits and '_', not GITHUB_ at its beginning",
            )
    # They would take the place of what the steps need.
    taken = {"MODEL", "VERSION", "STAGE"} & set(options.deploy_secrets)
    if taken:
        raise UsageError(
            f"--deploy-secret {taken.pop()}: deploy.sh gets something else by that name",
            hint="call the secret by another name",
        )


def arguments(options: Options) -> str:
    """Return the command line that gives these options, for the first line of each file."""
    words = ["mlx", *(["-C", options.folder] if options.folder else []), "ci", "init"]
    for flag, field in _FLAGS.items():
        value = getattr(options, field)
        if field in _ALWAYS or value != Options._field_defaults[field]:
            for one in (value,) if isinstance(value, str) else value:
                words += [flag, one]
    return shlex.join(words)


def parse(line: str) -> Options | None:
    """Return what `arguments` wrote, None where it is not so (a person, a damaged file)."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    told: dict[str, Any] = {}
    if words[1:2] == ["-C"] and len(words) > 2:
        told["folder"] = words[2]
        del words[1:3]
    if words[:3] != ["mlx", "ci", "init"] or len(words) % 2 == 0:
        return None
    for flag, value in zip(words[3::2], words[4::2], strict=True):
        field = _FLAGS.get(flag)
        if field is None:
            return None
        if isinstance(Options._field_defaults[field], tuple):
            told[field] = (*told.get(field, ()), value)
        elif told.setdefault(field, value) != value:
            return None
    try:
        return check(Options(**told))
    except UsageError:
        return None


def ordered(names: Sequence[str]) -> tuple[str, ...]:
    """Return workflows in their own order, each once."""
    return tuple(one for one in WORKFLOWS if one in names) + tuple(
        one for one in names if one not in WORKFLOWS
    )
