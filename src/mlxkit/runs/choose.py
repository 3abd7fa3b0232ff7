"""Finds the runs that a user means, among those of one project."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from mlxkit.core.errors import UsageError
from mlxkit.runs import ledger
from mlxkit.runs.record import Record
from mlxkit.tools import git

_UNITS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
_WORDS = {"today": 0, "yesterday": 1}


def project_of(root: str, git_root: str) -> str:
    """Return the project's folder as records name it: from the repository's top."""
    found = os.path.relpath(os.path.realpath(root), os.path.realpath(git_root))
    return "" if found == "." else found.replace(os.sep, "/")


def project_records(root: str, git_root: str) -> dict[str, Record]:
    """Return the records of the project's runs by id, the oldest first; raises MlxError."""
    project = project_of(root, git_root)
    found = ledger.read_all(git_root).records
    mine = [(name, one) for name, one in found.items() if one.project == project]
    return dict(sorted(mine, key=lambda item: (item[1].started, item[0])))


def last_run(records: Mapping[str, Record], stage: str) -> tuple[str, Record] | None:
    """Return the last run of a stage that started its command, None where there is none."""
    for name, record in reversed(list(records.items())):
        if record.stage == stage and record.outcome not in ("restored", "rebuild", "committed"):
            return name, record
    return None


def made_on(records: Mapping[str, Record], git_root: str, revision: str) -> dict[str, Record]:
    """Return the runs whose HEAD was in `revision`, as `git log` reads it (`A..B`, too).

    Raises UsageError where there is no such revision.
    """
    parts = [one for one in revision.replace("...", "..").split("..") if one]
    for one in parts:
        if git.commit_id(git_root, one) is None:
            raise UsageError(f"there is no revision '{one}'", hint="see: git log --oneline")
    listed = git.run(git_root, "rev-list", revision, "--") if parts else b""
    commits = set(listed.decode("ascii").split())
    return {name: one for name, one in records.items() if one.commit in commits}


def since(records: Mapping[str, Record], begin: datetime) -> dict[str, Record]:
    """Return the runs that started at `begin` or later."""
    text = begin.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {name: one for name, one in records.items() if one.started >= text}


def read_time(text: str, now: datetime) -> datetime:
    """Read `2026-01-31`, `2026-01-31T12:00`, `today` or `2 weeks ago`, as a time in UTC.

    Raises UsageError.
    """
    words = text.strip().lower().removesuffix(" ago").split()
    try:
        if len(words) == 1 and words[0] in _WORDS:
            midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
            return (midnight - timedelta(days=_WORDS[words[0]])).astimezone(UTC)
        if len(words) == 2 and words[1].removesuffix("s") in _UNITS:
            ago = timedelta(seconds=float(words[0]) * _UNITS[words[1].removesuffix("s")])
            return (now - ago).astimezone(UTC)
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=now.tzinfo)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is no time", hint="write it as 2026-01-31, or as '2 weeks ago'"
        ) from None
