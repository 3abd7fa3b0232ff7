"""`reproducible: {verify, committed, rebuild}`: does what is recorded fit, is it committed, and
does it come out again?
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.core.errors import MlxError
from mlxkit.gates.context import Context
from mlxkit.gates.verdict import Unjudged, Verdict, Word
from mlxkit.pipeline.session import Session
from mlxkit.proof.verify import verify_revision, verify_work_tree
from mlxkit.proof.view import Problem
from mlxkit.settings.load import FILE
from mlxkit.tools import git

_SHOWN = 3
_UNCOMMITTED = "uncommitted"


def check(settings: Mapping[str, Any], context: Context) -> list[Verdict]:
    """Hold the revision to what is asked of it; raises Unjudged."""
    session, commit = context.session, context.subject.commit
    if session is None or session.git_root is None:
        raise Unjudged("without Git nothing can be told of what is recorded")
    found = []
    if settings["verify"] or settings["committed"]:
        try:
            told = verify_revision(session, commit) if commit else verify_work_tree(session)
        except MlxError as error:
            raise Unjudged(f"mlx verify cannot tell: {error}") from None
        if settings["verify"]:
            left = [one for one in told.problems if one.kind != _UNCOMMITTED]
            wrong = [_told(session, one) for one in (*left, *told.unchecked)]
            found.append(_verified(told.stages, wrong))
        if settings["committed"]:
            left = [one for one in told.problems if one.kind == _UNCOMMITTED]
            found.append(_committed(session, left, commit))
    if settings["rebuild"]:
        found.append(_rebuilt(session, commit))
    if not found:
        raise Unjudged("verify, committed and rebuild are all false: nothing was looked at")
    return found


def _verified(stages: int, wrong: Sequence[str]) -> Verdict:
    if not stages:
        raise Unjudged("there are no stages: nothing is recorded")
    some = "1 stage fits" if stages == 1 else f"{stages} stages fit"
    why = f"mlx verify: {some} what is recorded"
    if wrong:
        why = f"mlx verify: {_some(wrong)}"
    return _verdict("verify", why, len(wrong))


def _committed(session: Session, problems: Sequence[Problem], commit: str | None) -> Verdict:
    names = [_near(session, one.path) for one in problems]
    if commit is None and session.git_root is not None:
        names += [one for one in git.changed(session.git_root) if one.endswith(FILE)]
    why = f"not committed: {_some(names)}" if names else "all that it depends on is committed"
    return _verdict("committed", why, len(names))


def _rebuilt(session: Session, commit: str | None) -> Verdict:
    """Have all stages run again; in a process of its own, as it works in another folder."""
    assert session.git_root is not None
    rev = commit or git.commit_id(session.git_root, "HEAD")
    if rev is None:
        raise Unjudged("there is no commit to rebuild")
    changed = git.changed(session.git_root) if commit is None else ()
    if changed:
        return _verdict("rebuild", f"what is not committed cannot be rebuilt: {changed[0]}", 1)
    # -P: modules of the folder that this is called in are the project's.
    words = [sys.executable, "-P", "-m", "mlxkit", "-C", session.root, "verify", rev, "--rebuild"]
    done = subprocess.run(
        [*words, "--json"], stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise Unjudged(f"mlx verify --rebuild ended with {done.returncode}") from None
    if "error" in told:
        raise Unjudged(f"mlx verify --rebuild cannot tell: {told['error'].get('message')}")
    word = str(told.get("verdict"))
    why = f"mlx verify --rebuild: {word}"
    if told.get("stage"):
        why += f", first at stage {told['stage']}"
    return _verdict("rebuild", why, 0 if done.returncode == 0 else 1)


def _verdict(what: str, why: str, wrong: int) -> Verdict:
    word: Word = "fail" if wrong else "pass"
    return Verdict("reproducible", word, why, what, wrong, 0)


def _told(session: Session, one: Problem) -> str:
    return ": ".join(filter(None, (one.stage, _near(session, one.path), one.why)))


def _near(session: Session, path: str) -> str:
    return os.path.relpath(path, session.root) if os.path.isabs(path) else path


def _some(told: Sequence[str]) -> str:
    more = f"; and {len(told) - _SHOWN} more" if told[_SHOWN:] else ""
    return "; ".join(told[:_SHOWN]) + more
