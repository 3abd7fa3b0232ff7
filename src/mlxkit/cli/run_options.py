"""Options of the commands that run stages, meant as `dvc repro` means them."""

from typing import Annotated, Any

import typer


def flag(*names: str, text: str) -> Any:
    """Return an option that is given or not."""
    return typer.Option(*names, help=text)


SingleItem = Annotated[
    bool, flag("--single-item", "-s", text="Only the targets, not what they need.")
]
Pipeline = Annotated[
    bool, flag("--pipeline", "-p", text="The whole pipelines that the targets are part of.")
]
AllPipelines = Annotated[bool, flag("--all-pipelines", "-P", text="Every stage of the project.")]
BelowFolders = Annotated[
    bool, flag("--recursive", "-R", text="All stages below the folders named.")
]
Downstream = Annotated[bool, flag("--downstream", text="The targets and what needs them.")]
ForceDownstream = Annotated[
    bool, flag("--force-downstream", text="Run everything after a stage that ran.")
]
Pull = Annotated[bool, flag("--pull", text="Fetch data that is missing.")]
AllowMissing = Annotated[
    bool, flag("--allow-missing", text="Missing data alone is no reason to run.")
]
KeepGoing = Annotated[
    bool, flag("--keep-going", "-k", text="After a failure, go on with the rest.")
]
