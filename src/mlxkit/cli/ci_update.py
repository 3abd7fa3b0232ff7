"""`mlx ci update`: is there new data where imports come from."""

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.terminal import printable

app = new_app()


@app.command()
def update(as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> int:
    """Bring all imported data up to date with where it comes from, and tell whether any is new.

    Stages that always run, or read an address, look for themselves: they are named. In a workflow
    the output `new` is false where there is nothing to run for.

    Example: mlx ci update && mlx repro
    """
    from mlxkit.ci.event import write_output
    from mlxkit.ci.new_data import update_imports

    with reading() as session:
        news = update_imports(session)
    write_output("new", "true" if news.may_be else "false")
    if as_json:
        terminal.write_json(news._asdict())
    elif not quiet:
        for one in news.changed:
            terminal.write(f"new data: {printable(one)}")
        if not news.changed:
            count = terminal.counted(len(news.imports), "import")
            terminal.write(f"no new data ({count})")
        for one in news.asking:
            terminal.write(f"looks for itself when it runs: {printable(one)}")
    if not news.imports and not news.asking:
        terminal.note("there is nothing to look at: data comes in by mlx import and import-url")
    return 0
