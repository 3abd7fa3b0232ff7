"""What DVC itself tells of experiments: those of its queue, which keeps them in its own forms."""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from mlxkit.core.errors import MlxError


def show_by_dvc(root: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Return the document of `dvc exp show --json`; raises MlxError with what DVC said."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "show", "--json", *arguments],
        cwd=root,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        found = None
    if done.returncode or not isinstance(found, list):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise MlxError(
            f"DVC cannot tell what is in its queue: {said[0] if said else 'it said nothing'}",
            hint="see: dvc exp show -v",
        )
    return found
