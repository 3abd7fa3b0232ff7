"""What `mlx ci init` can be told: read from the command line or from a file that it wrote."""

import re
import shlex
from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

from mlxkit.core.errors import UsageError

Workflow = Literal["test", "train", "review", "deploy", "retrain"]
WORKFLOWS: tuple[str, ...] = get_args(Workflow)
LOCKS = ("require", "commit")
_SECRET = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PYTHON = re.compile(r"3\.\d{1,2}(\.\d{1,2})?")
_FIELD = r"[0-9A-Za-z*/,\-]+"
_CRON = re.compile(rf"{_FIELD}( {_FIELD}){{4}}")


class Options(NamedTuple):
    """All that decides the text of the workflows."""

    lock: str = "require"
    python: tuple[str, ...] = ("3.12",)
    install: str = ""
    test: str = ""
    secrets: tuple[str, ...] = ()
    signing_key: str = "MLX_SIGNING_KEY"
    cron: str = "17 3 * * 1"
    only: tuple[str, ...] = WORKFLOWS


def check(options: Options) -> Options:
    """Refuse what would be no workflow, or another one than meant; raises UsageError."""
    if options.lock not in LOCKS:
        raise UsageError(f"--lock is {options.lock!r}", hint="choose: commit, require")
    for one in options.only:
        if one not in WORKFLOWS:
            raise UsageError(
                f"there is no workflow {one!r}", hint=f"choose: {', '.join(WORKFLOWS)}"
            )
    for one in options.python:
        if not _PYTHON.fullmatch(one):
            raise UsageError(f"--python is {one!r}", hint="write a version: --python 3.12")
    for one in (*options.secrets, options.signing_key):
        if not _SECRET.fullmatch(one) or one.upper().startswith("GITHUB_"):
            raise UsageError(
                f"{one!r} cannot be the name of a secret",
                hint="letters, digits and '_', not GITHUB_ at its beginning",
            )
    if not _CRON.fullmatch(options.cron):
        raise UsageError(f"--cron is {options.cron!r}", hint="five fields: --cron '17 3 * * 1'")
    for name, script in (("--install", options.install), ("--test", options.test)):
        if not script.strip() or not script.isprintable():
            raise UsageError(f"{name} is no command of one line", hint="join commands with &&")
        if "${{" in script:
            raise UsageError(f"{name} has an expression of GitHub's in it", hint="use $VARIABLES")
    return options


def arguments(options: Options) -> str:
    """Return the command line that gives these options, for the first line of each file."""
    words = ["mlx", "ci", "init", "--lock", options.lock]
    for flag, values in (
        ("--python", options.python),
        ("--install", (options.install,)),
        ("--test", (options.test,)),
        ("--secret", options.secrets),
        ("--signing-key", (options.signing_key,)),
        ("--cron", (options.cron,)),
        ("--only", options.only if options.only != WORKFLOWS else ()),
    ):
        for one in values:
            words += [flag, one]
    return shlex.join(words)


def parse(line: str) -> Options | None:
    """Return what `arguments` wrote, None where it is not so (an older mlx, a person)."""
    try:
        words = shlex.split(line)
    except ValueError:
        return None
    if words[:3] != ["mlx", "ci", "init"] or len(words) % 2 == 0:
        return None
    found: dict[str, list[str]] = {}
    for flag, value in zip(words[3::2], words[4::2], strict=True):
        found.setdefault(flag, []).append(value)
    single = {"--lock", "--install", "--test", "--signing-key", "--cron"}
    if not single <= found.keys() or any(len(found[one]) != 1 for one in single):
        return None
    options = Options(
        lock=found["--lock"][0],
        python=tuple(found.get("--python", ())),
        install=found["--install"][0],
        test=found["--test"][0],
        secrets=tuple(found.get("--secret", ())),
        signing_key=found["--signing-key"][0],
        cron=found["--cron"][0],
        only=tuple(found.get("--only", WORKFLOWS)),
    )
    try:
        return check(options) if options.python and not found.keys() - single - _MANY else None
    except UsageError:
        return None


_MANY = {"--python", "--secret", "--only"}


def ordered(names: Sequence[str]) -> tuple[str, ...]:
    """Return workflows in their own order, each once."""
    return tuple(one for one in WORKFLOWS if one in names) + tuple(
        one for one in names if one not in WORKFLOWS
    )
