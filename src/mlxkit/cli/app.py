"""Builds the command line: finds commands late, hands DVC's own verbs over, reports every error."""

import atexit
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.exceptions import Abort, TyperException

from mlxkit.cli import terminal
from mlxkit.cli.commands import COMMANDS, FROM_DVC
from mlxkit.cli.handover import give_to_dvc
from mlxkit.cli.options import HELP_NAMES
from mlxkit.cli.report import interrupted, report
from mlxkit.core.errors import ExitCode, MlxError, UsageError

EXIT_CODES = "  ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in ExitCode)


class LateGroup(TyperGroup):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*COMMANDS, *FROM_DVC]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in COMMANDS:
            return _command(import_module(COMMANDS[cmd_name][0]).app, cmd_name)
        if cmd_name in FROM_DVC:
            return _command(handing_over([cmd_name], FROM_DVC[cmd_name]), cmd_name)
        return None

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """List commands without importing them."""
        formatter.write_usage("mlx", "[-C DIR] [--version] COMMAND [--json] [-q|-v] ...")
        with formatter.indentation():
            formatter.write_text("Git-centric data and model versioning, on DVC's formats.")
        for title, rows in (
            ("Commands", [(name, text) for name, (_, text) in COMMANDS.items()]),
            ("From DVC", list(FROM_DVC.items())),
            ("Options", [("-C DIR", "Work in DIR."), ("--version", "Show the version.")]),
        ):
            with formatter.section(title):
                formatter.write_dl(rows)
        with formatter.section("Exit codes"):
            formatter.write_text(EXIT_CODES)
        with formatter.section("Example"):
            formatter.write_text("mlx repro && mlx metrics show")

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Suggest the nearest command for one that is not there."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self.list_commands(ctx):
            import difflib

            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"did you mean '{near[0]}'?" if near else _HELP
            raise UsageError(f"there is no command '{name}'", hint=hint)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Typer itself would end it on Ctrl-C without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Abort from None


def handing_over(words: list[str], text: str) -> typer.Typer:
    """Return an app that gives all its arguments to `dvc WORDS`."""
    handed = typer.Typer(add_completion=False, rich_markup_mode=None)

    @handed.command(
        help=text,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )
    def call(ctx: typer.Context) -> int:
        return give_to_dvc([*words, *ctx.args])

    return handed


def _show_version(wanted: bool) -> None:
    if wanted:
        from mlxkit import __version__

        terminal.write(f"mlx {__version__}")
        raise typer.Exit


_HELP = "see: mlx --help"

app = typer.Typer(
    cls=LateGroup,
    add_completion=True,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings=HELP_NAMES,
)


@app.callback()
def root(
    folders: Annotated[
        list[str] | None,
        typer.Option("-C", metavar="DIR", help="Work in DIR; one more is seen from there."),
    ] = None,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
) -> None:
    """Git-centric data and model versioning, on DVC's formats."""
    for folder in folders or ():
        _enter(folder)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; the single place where errors become text and exit codes."""
    as_json = "--json" in arguments
    terminal.make_ready()
    try:
        handed = _for_dvc(arguments)
        if handed is not None:
            return give_to_dvc(handed)
        result = _command(app, "mlx").main(list(arguments), prog_name="mlx", standalone_mode=False)
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.OK
    except MlxError as error:
        hint = _help_of(arguments) if error.hint == _HELP else error.hint
        report(error.code, error.message, hint, error.where, as_json=as_json)
        return error.exit_code
    except TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f"see: {context.command_path} --help" if context else _help_of(arguments)
        if not arguments:
            terminal.write(error.format_message())  # the help itself
        else:
            said = error.format_message()
            report("usage", said, hint, None, as_json=as_json)
        return ExitCode.USAGE
    except (KeyboardInterrupt, Abort):
        return interrupted(as_json=as_json)
    except SystemExit as stop:
        # Typer ends so, with 1, when the reader (`head`, a closed pager) has seen enough.
        return ExitCode.OK if stop.code == 1 else int(stop.code or 0)
    except BrokenPipeError:
        # The reader (`head`, a closed pager) has seen enough.
        terminal.give_up_stdout()
        return ExitCode.OK
    except OSError as error:
        told = isinstance(error.filename, str) and error.filename
        named = f"{_near(error.filename)}: " if told else ""
        report(
            "failed",
            f"{named}{error.strerror or error}",
            "free space or correct permissions, then repeat",
            None,
            as_json=as_json,
        )
        return ExitCode.FAILED
    except RecursionError:
        message = "a file of the project is nested too deeply"
        hint = "make it flatter: some hundred levels are too many"
        report("project", message, hint, None, as_json=as_json)
        return ExitCode.PROJECT
    except Exception:
        _report_bug(as_json)
        return ExitCode.INTERNAL
    finally:
        _keep_terminal_codes_out()


def _help_of(arguments: Sequence[str]) -> str:
    """Return where to read on: the help of the command that was given."""
    verb = next((one for one in arguments if one in COMMANDS), None)
    return f"see: mlx {verb} --help" if verb else _HELP


def _for_dvc(arguments: Sequence[str]) -> list[str] | None:
    """Return the arguments for `dvc`, to the letter (`--` too), if the verb is one of DVC's."""
    rest = list(arguments)
    folders = []
    while rest[:1] == ["-C"] and len(rest) > 2:
        folders.append(rest[1])
        rest = rest[2:]
    if not rest or rest[0] not in FROM_DVC:
        return None
    for folder in folders:
        _enter(folder)
    return rest


def _keep_terminal_codes_out() -> None:
    """Undo what a library of DVC's does: print a code for colours when the process ends."""
    if "colorama.initialise" in sys.modules:
        atexit.unregister(sys.modules["colorama.initialise"].reset_all)


def _enter(folder: str) -> None:
    try:
        os.chdir(folder or ".")  # as with Git, no name is no change
    except OSError as error:
        raise UsageError(f"-C {folder}: {error.strerror}", hint="name a folder") from None


def _near(path: str) -> str:
    """Return a path as seen from here; as it is where the current folder is gone."""
    try:
        return os.path.relpath(path)
    except OSError:
        return path


def _command(of: typer.Typer, name: str) -> Any:
    command = typer.main.get_command(of)
    command.name = name
    return command


def _report_bug(as_json: bool) -> None:
    """Keep the traceback in a file: it helps us, not the user."""
    import tempfile
    import traceback

    with tempfile.NamedTemporaryFile(
        "w", prefix="mlx-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
    ) as file:
        file.write(" ".join(sys.argv) + "\n" + traceback.format_exc())
    report(
        "internal",
        f"this is a bug in mlx: {traceback.format_exc().strip().splitlines()[-1]}",
        f"report it with the file {file.name}",
        None,
        as_json=as_json,
    )
