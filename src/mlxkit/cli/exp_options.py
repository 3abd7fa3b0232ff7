"""Options that sub-commands of `mlx exp` share, with the completion of experiments' names."""

from typing import Annotated

import typer


def complete_experiments(incomplete: str) -> list[str]:
    """Complete names of experiments."""
    from mlxkit.core.errors import MlxError
    from mlxkit.experiments.refs import list_experiments
    from mlxkit.tools.git import require_root

    try:
        names = {one.name for one in list_experiments(require_root("."))}
    except MlxError:
        return []
    return sorted(name for name in names if name.startswith(incomplete) and name.isprintable())


def complete_remotes(incomplete: str) -> list[str]:
    """Complete names of Git remotes."""
    from mlxkit.core.errors import MlxError
    from mlxkit.tools.git import require_root
    from mlxkit.tools.git_remote import remote_names

    try:
        return [one for one in remote_names(require_root(".")) if one.startswith(incomplete)]
    except MlxError:
        return []


Revs = Annotated[
    list[str] | None,
    typer.Option("--rev", metavar="COMMIT", help="Experiments made from that commit."),
]
Num = Annotated[
    int,
    typer.Option(
        "--num", "-n", metavar="N", help="Also from the N-1 commits before; negative: from all."
    ),
]
AllCommits = Annotated[
    bool, typer.Option("--all-commits", "-A", help="All experiments, whatever they are made from.")
]
GitRemote = Annotated[
    str,
    typer.Option(
        "--git-remote",
        "-g",
        metavar="REMOTE",
        help="Of that Git remote (a name or a URL), not here.",
        autocompletion=complete_remotes,
    ),
]
OneExperiment = Annotated[
    str,
    typer.Argument(
        metavar="EXPERIMENT",
        help="A name, the reference in full, or the commit's id.",
        autocompletion=complete_experiments,
    ),
]
Experiments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[EXPERIMENT]...",
        help="Names, or references in full.",
        autocompletion=complete_experiments,
    ),
]
Remote = Annotated[
    str,
    typer.Argument(
        metavar="GIT_REMOTE", help="A Git remote, or a URL.", autocompletion=complete_remotes
    ),
]
