"""The verbs of the command line: all of DVC's, with DVC's flags."""

import argparse
from importlib import import_module
from typing import Any

import pytest
import typer
from dvc.cli.parser import get_main_parser

from mlxkit.cli.commands import COMMANDS, FROM_DVC
from mlxkit.cli.handover import _CODES
from mlxkit.core.errors import ExitCode


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(action.choices)
    return found


DVC = _subparsers(get_main_parser())
# For DVC's own processes, and old names that it no longer lists.
INTERNAL = {"daemon", "git-hook", "machine", "params", "metrics", "check-ignore"}


def test_every_verb_of_dvc_is_there() -> None:
    missing = set(DVC) - set(COMMANDS) - set(FROM_DVC) - INTERNAL
    assert not missing, f"add them to FROM_DVC: {sorted(missing)}"


def test_every_verb_that_is_handed_over_exists() -> None:
    assert set(FROM_DVC) <= set(DVC)


def test_no_verb_is_both() -> None:
    assert not set(COMMANDS) & set(FROM_DVC)


def test_dvcs_exit_codes_are_those_we_translate() -> None:
    from dvc.cli import main  # noqa: F401  # where the numbers are

    with pytest.raises(Exception) as caught:
        get_main_parser().parse_args(["no-such-verb"])
    assert type(caught.value).__name__ == "DvcParserError"
    assert set(_CODES.values()) <= set(ExitCode)


def _ours(verb: str) -> Any:
    words = verb.split()
    command = typer.main.get_command(import_module(COMMANDS[words[0]][0]).app)
    for word in words[1:]:
        command = command.get_command(None, word)  # type: ignore[attr-defined, arg-type]
    return command


EXPERIMENTS = [
    f"exp {one}"
    for one in ("show", "diff", "list", "apply", "branch", "rename", "remove", "push", "pull")
]
SAME = ["repro", "status", "dag", "init", "metrics show", "plots show", "plots diff", *EXPERIMENTS]


@pytest.mark.parametrize("verb", SAME)
def test_the_flags_of_dvc_are_accepted(verb: str) -> None:
    """Muscle memory and scripts carry over."""
    theirs = DVC[verb.split(maxsplit=1)[0]]
    for word in verb.split()[1:]:
        theirs = _subparsers(theirs)[word]
    wanted = {
        option
        for action in theirs._actions
        for option in action.option_strings
        if action.help != argparse.SUPPRESS
    }
    ours = {option for one in _ours(verb).params for option in (*one.opts, *one.secondary_opts)}
    missing = wanted - ours - {"-h", "--help"}
    assert not missing, f"mlx {verb} lacks {sorted(missing)}"


@pytest.mark.parametrize("verb", SAME)
def test_the_arguments_of_dvc_are_accepted(verb: str) -> None:
    theirs = DVC[verb.split(maxsplit=1)[0]]
    for word in verb.split()[1:]:
        theirs = _subparsers(theirs)[word]
    wanted = [action.dest for action in theirs._actions if not action.option_strings]
    ours = [one.name for one in _ours(verb).params if one.param_type_name == "argument"]
    assert len(wanted) <= len(ours), f"mlx {verb} takes {ours}, dvc takes {wanted}"


@pytest.mark.parametrize(
    "verb", [*COMMANDS, "metrics show", "params show", "plots show", "plots diff", *EXPERIMENTS]
)
def test_every_command_has_an_example_and_helps_for_each_option(verb: str) -> None:
    command = _ours(verb)
    for option in command.params:
        assert option.name == "help" or getattr(option, "help", None), option.name
    if verb not in ("metrics", "params"):
        assert "Example: " in command.help and f"mlx {verb}" in command.help
