"""The history of a file inside a tracked folder: the folder's, where the file changed in it."""

from typing import NamedTuple

from mlxkit.lineage.index import Index
from mlxkit.lineage.inside import files_of
from mlxkit.lineage.productions import Production


class Step(NamedTuple):
    """One version of a path; `whole` is what is recorded: the path itself, or its folder.

    `old` is where it was before, where the path changed and the content did not.
    """

    made: Production
    whole: Production
    old: str | None = None


def inside(index: Index, line: list[Step], part: str) -> tuple[list[Step], int]:
    """Return the versions of the file `part` of a folder with these versions, newest first.

    Also how many versions of the folder have a list of files that is not in the cache: whether
    the file changed in them is not known.
    """
    found: list[Step] = []
    before: str | None = None
    unlisted = 0
    for step in reversed(line):
        listed = files_of(index, step.whole.md5)
        unlisted += not listed
        md5 = listed.get(part)
        if listed and md5 is not None and (md5 != before or step.old is not None):
            path = f"{step.whole.path}/{part}"
            made = step.made._replace(md5=md5, path=path, size=None)
            old = f"{step.old}/{part}" if step.old is not None and md5 == before else None
            found.append(Step(made, step.whole, old))
        before = md5 if listed else before
    return found[::-1], unlisted
