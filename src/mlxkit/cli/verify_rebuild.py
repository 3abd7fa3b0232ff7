"""`mlx verify --rebuild`: run it again, and say whether the same comes out."""

import os
import sys
from typing import Any

from mlxkit.cli import terminal
from mlxkit.cli.bar import bar
from mlxkit.cli.describe import result_json
from mlxkit.cli.progress import FAILURE_LINES, Mute, Plain, Silent
from mlxkit.cli.reading import reading
from mlxkit.cli.verify_show import wrapped
from mlxkit.core.errors import ExitCode
from mlxkit.data.history.revision import Revisions
from mlxkit.pipeline.execute import Interrupted
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.records import tail
from mlxkit.pipeline.result import FAILED as STAGE_FAILED
from mlxkit.pipeline.result import RAN, Result
from mlxkit.pipeline.spec import Stage
from mlxkit.project import open_for_run
from mlxkit.proof.compare import DIFFERENT, FAILED, IDENTICAL, WITHIN
from mlxkit.proof.rebuild import Asked, Rebuilt, rebuild
from mlxkit.proof.verify import require_git
from mlxkit.tools import git

_SHOWN = 20
_STYLES = {IDENTICAL: "green", WITHIN: "cyan", DIFFERENT: "red", FAILED: "red"}
_WORDS = {
    "not-locked": "not recorded",
    "cmd": "the command changed",
    "deps": "an input changed",
    "params": "a parameter changed",
    "env": "the environment changed",
    "shell": "the shell changed",
    "machine": "another kind of machine",
    "persist": "an output that persists",
    "not-deterministic": "not deterministic",
}


class _Watched:
    """Shows a rebuild as `mlx repro` shows a run; why a stage failed is told when all is over."""

    def __init__(self, view: Silent) -> None:
        self._view = view

    def planned(self, stages: list[Stage]) -> None:
        self._view.planned(stages)

    def started(self, stage: Stage, reasons: list[Reason], log: str) -> None:
        self._view.started(stage, [], log)

    def ended(self, result: Result) -> None:
        if result.outcome != STAGE_FAILED:
            self._view.ended(result._replace(reasons=()))

    def say(self, message: str) -> None:
        self._view.say(message)

    def confirm(self, stage: Stage) -> bool:
        return True


def rebuild_revision(
    rev: str,
    targets: list[str],
    remote: str,
    jobs: int,
    as_json: bool,
    quiet: bool,
    verbose: bool,
) -> int:
    """Rebuild a revision (`HEAD` without one) and tell what came out; returns the exit code."""
    view = _view(as_json, quiet, verbose)
    try:
        with reading() as session, bar(quiet=quiet or as_json) as progress:
            git_root = require_git(session)
            if not rev and git.changed(git_root):
                view.say("HEAD is rebuilt, without the changes that are not committed")
            asked = Asked(Revisions(session).commit(rev or "HEAD"), targets, remote, jobs)
            found = rebuild(session, asked, _Watched(view), progress, open_for_run)
    except Interrupted:
        raise KeyboardInterrupt from None
    finally:
        view.close()
    if as_json:
        terminal.write_json(_document(found))
    else:
        _show(found, quiet=quiet, verbose=verbose)
    if found.verdict == FAILED:
        return ExitCode.FAILED
    return ExitCode.CHECK_FAILED if found.verdict == DIFFERENT else ExitCode.OK


def _view(as_json: bool, quiet: bool, verbose: bool) -> Silent:
    if as_json:
        return Mute()
    if quiet:
        return Silent()
    if terminal.is_live(sys.stderr) and not verbose:
        from mlxkit.cli.progress_live import LiveView

        return LiveView()
    return Plain(verbose=verbose)


def _document(found: Rebuilt) -> dict[str, Any]:
    first = None
    if found.stage is not None:
        first = {"stage": found.stage, "causes": [one._asdict() for one in found.causes]}
    return {
        "ok": found.verdict in (IDENTICAL, WITHIN),
        "commit": found.commit,
        "verdict": found.verdict,
        "first": first,
        "problems": [
            {"kind": "rebuild", "stage": one.stage, "path": one.path, "why": one.verdict}
            for one in found.outputs
            if one.verdict == DIFFERENT
        ]
        + [
            {
                "kind": "failed",
                "stage": found.names[one.stage.key],
                "path": None,
                "why": str(one.error),
            }
            for one in found.results
            if one.error is not None
        ],
        "outputs": [one._asdict() for one in found.outputs],
        "environment": list(found.environment),
        "stages": [_stage_document(one, found) for one in found.results],
        "seconds": round(found.seconds, 3),
    }


def _stage_document(result: Result, found: Rebuilt) -> dict[str, Any]:
    name = found.names[result.stage.key]
    log = os.path.relpath(result.log) if result.error is not None and result.log else None
    own: dict[str, Any] = {"stage": name, "reasons": [], "run": found.runs.get(name), "log": log}
    return {**result_json(result), **own}


def _show_failure(result: Result) -> None:
    assert result.error is not None
    terminal.note(f"{terminal.styled('error:', 'red', sys.stderr)} {result.error}")
    if result.log is not None:
        for line in tail(result.log, FAILURE_LINES):
            if not line.startswith("+ "):
                terminal.note(terminal.styled(f"  | {line}", "dim", sys.stderr))
    hint = result.error.hint
    if result.log is not None:
        hint = f"all of its output: {os.path.relpath(result.log)}"
    if hint:
        terminal.note(f"{terminal.styled('hint:', 'cyan', sys.stderr)} {hint}")


def _show(found: Rebuilt, *, quiet: bool, verbose: bool) -> None:
    if found.note is not None:
        terminal.note(f"warning: {found.note}")
    if quiet and found.verdict in (IDENTICAL, WITHIN):
        return
    counts = {
        verdict: sum(one.verdict == verdict for one in found.outputs)
        for verdict in (DIFFERENT, WITHIN, IDENTICAL)
    }
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    ran = sum(one.outcome == RAN for one in found.results)
    stages = f"{ran} of {terminal.counted(len(found.results), 'stage')} ran"
    word = terminal.styled(found.verdict, _STYLES[found.verdict])
    took = terminal.duration(found.seconds)
    terminal.write(f"{word}: {found.commit[:8]} rebuilt in {took}; {stages}")
    if told:
        terminal.write(f"    outputs: {told}")
    for one in found.results:
        if one.error is not None:
            _show_failure(one)
    if found.stage is not None:
        terminal.write(f"first: {found.stage}")
        for cause in found.causes:
            wrapped(f"{_WORDS.get(cause.kind, cause.kind)}: {cause.what}")
    shown = [one for one in found.outputs if verbose or one.verdict != IDENTICAL]
    for output in shown[: None if verbose else _SHOWN]:
        verdict = terminal.styled(f"{output.verdict:<16}", _STYLES[output.verdict])
        terminal.write(f"{verdict}  {output.stage}  {output.path}")
    if not verbose and len(shown) > _SHOWN:
        terminal.write(f"... and {len(shown) - _SHOWN} more (-v shows all)")
