"""`mlx ci base`: the commit that a push or a pull request began from."""

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app

app = new_app()


@app.command()
def base(as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> int:
    """Print the commit that this work is to be compared with.

    For a pull request, where it left its target; for the default branch, what it was before the
    push; for another, where it left the default branch. In a workflow it is the output `rev`.

    Example: mlx gate test --base "$(mlx ci base)"
    """
    from mlxkit.ci.base import find_base
    from mlxkit.ci.event import read_event, write_output
    from mlxkit.tools.git import require_root

    found = find_base(require_root("."), read_event())
    write_output("rev", found)
    if as_json:
        terminal.write_json({"rev": found})
    else:
        terminal.write(found)
    return 0
