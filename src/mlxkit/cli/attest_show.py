"""What `mlx verify --attestation` and `mlx attest --verify` ask and show."""

import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mlxkit.cli import terminal
from mlxkit.cli.knowing import knowing
from mlxkit.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mlxkit.attest.check import Verdict

_INDENT = "    "


def verify_attestation(
    named: str,
    against: str = "",
    allowed: str = "",
    threshold: int = 1,
    at: str = "",
    *,
    as_json: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> int:
    """Check the attestations in a file, or on record of a path or version; returns the exit code.

    Raises as `attest.check.verify` does.
    """
    from mlxkit.attest.check import verify

    now = _moment(at) if at else None
    with knowing(quiet=quiet or as_json) as index:
        verdicts = verify(
            index, named, against=against, allowed=allowed, threshold=threshold, now=now
        )
    ok = all(one.ok for one in verdicts)
    if as_json:
        terminal.write_json(_document(verdicts, ok=ok))
    elif not (quiet and ok):
        for one in verdicts:
            _show(one, verbose=verbose)
    return ExitCode.OK if ok else ExitCode.CHECK_FAILED


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--at {text}: not a date", hint="write it as 2026-01-31 or 2026-01-31T12:00"
        ) from None


def _document(verdicts: Sequence["Verdict"], *, ok: bool) -> dict[str, Any]:
    return {
        "ok": ok,
        "problems": [one._asdict() for each in verdicts for one in each.problems],
        "attestations": [_verdict(one) for one in verdicts if one.id],
    }


def _verdict(one: "Verdict") -> dict[str, Any]:
    statement = one.statement
    claim = statement.claim if statement else None
    return {
        "id": one.id,
        "ok": one.ok,
        "signers": [{"who": each.who, "key": each.key.fingerprint} for each in one.signers],
        "predicate": statement.predicate_type if statement else None,
        "subjects": [
            {"name": each.name, "digest": dict(each.digest)}
            for each in (statement.subjects if statement else ())
        ],
        "stage": claim.stage if claim else None,
        "run": claim.run if claim else None,
        "commit": claim.version if claim else None,
        "notes": list(one.notes),
    }


def _show(one: "Verdict", *, verbose: bool) -> None:
    for problem in one.problems:
        word = terminal.styled("wrong", "red")
        what = f"{problem.kind}  {problem.path}" if problem.path else problem.kind
        terminal.write(f"{word}  {_printable(what)}")
        _wrapped(problem.why)
    if one.ok:
        _show_good(one, verbose=verbose)
    else:
        named = f" {one.id[:12]}" if one.id else ""
        count = terminal.counted(len(one.problems), "problem")
        terminal.write(f"the attestation{named} does not hold: {count}")
    for note in one.notes:
        terminal.note(f"note: {_printable(note)}")


def _show_good(one: "Verdict", *, verbose: bool) -> None:
    assert one.statement is not None
    subjects, claim = one.statement.subjects, one.statement.claim
    many = len(subjects) if verbose else 5
    for each in subjects[:many]:
        terminal.write(f"{terminal.styled('good', 'green')}  {_printable(each.name)}")
    if len(subjects) > many:
        _wrapped(f"and {len(subjects) - many} more")
    if claim is not None:
        run = f", run {claim.run[:12]}" if claim.run else ""
        at = f", commit {claim.version[:12]}" if claim.version else ""
        when = f", {claim.finished}" if claim.finished else ""
        _wrapped(f"made by stage '{claim.stage}'{run}{at}{when}")
    for who in one.signers:
        _wrapped(f"signed by {who.who}, {who.key.fingerprint}")


def _wrapped(text: str) -> None:
    columns = terminal.width(sys.stdout)
    words = textwrap.wrap(_printable(text), max(columns - len(_INDENT), 20), subsequent_indent="  ")
    for line in words:
        terminal.write(f"{_INDENT}{line}")


def _printable(text: str) -> str:
    """Return text of a stranger without what could move the cursor or hide a line."""
    return "".join(char if char.isprintable() else "�" for char in text)
