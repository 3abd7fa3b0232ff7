"""Tables in a folder as a revision that rules judge, and rules on them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from mlxkit.core.digest import md5_bytes
from mlxkit.core.yaml import load
from mlxkit.gates.context import Context, Data
from mlxkit.gates.evaluate import evaluate
from mlxkit.gates.verdict import Unjudged, Verdict
from mlxkit.settings.model import Settings

from .context import KNOWN, Plain


class Folder(Plain):
    """A folder's files, all of them recorded."""

    def __init__(self, folder: Path, name: str = "here", **files: Any) -> None:
        super().__init__(files, name, "" if name == "here" else f"c-{name}")
        self.folder = folder

    def data(self, path: str) -> Data:
        found = self.folder / path
        if not found.exists():
            raise Unjudged(f"there is no {self.place(path)}")
        md5 = "f.dir" if found.is_dir() else md5_bytes(found.read_bytes())
        return Data(str(found), md5, found.is_dir())


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a table in the format of its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


def judge(
    rule: str,
    here: Folder,
    others: Mapping[str, Folder] | None = None,
    accepted: Folder | None = None,
    base: str | None = None,
) -> list[Verdict]:
    """Return the verdicts of one rule on tables, and those of other revisions."""
    known = dict(others or {})

    def at(rev: str) -> Folder:
        if rev not in known:
            raise Unjudged(f"there is no revision '{rev}'")
        return known[rev]

    told = Settings.model_validate(load(f"gates:\n  t:\n    - {rule}\n")).model_dump(mode="json")
    context = Context(here, at, KNOWN, base, accepted=lambda gate, path: accepted)
    return list(evaluate("t", told["gates"]["t"], context).verdicts)
