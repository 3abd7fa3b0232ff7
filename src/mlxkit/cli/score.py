"""`mlx score`: the ML Test Score of a commit, from what is on record; what is missing."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlxkit.cli import terminal
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.cli.wrapping import wrapped
from mlxkit.core.errors import ExitCode

if TYPE_CHECKING:
    from mlxkit.gates.score.score import Answer, Score

app = new_app()

_MOST = 7
_MARKS = {0.0: ("·", "dim"), 0.5: ("½", "yellow"), 1.0: ("✓", "green")}


@app.command()
def score(
    rev: Annotated[
        str, typer.Argument(metavar="[REV]", help="A commit; HEAD by default.", show_default=False)
    ] = "HEAD",
    least: Annotated[
        float | None,
        typer.Option("--least", metavar="N", min=0, max=7, help="Exit with 3 for a lower score."),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Score how well data, model, infrastructure and monitoring are tested; 0 to 7.

    The score is the lowest of the four parts (ML Test Score, Breck et al. 2017). Points come from
    what is on record: half a point for what was done at this commit, a whole one for what a
    workflow repeats. -v tells what would earn each missing point.

    Example: mlx score --least 3
    """
    from mlxkit.gates.score.gather import gather
    from mlxkit.gates.score.score import score as judge

    with reading() as session:
        found = judge(gather(session, rev))
    if as_json:
        terminal.write_json(_document(found))
    elif not quiet:
        _show(found, verbose=verbose)
    failed = least is not None and not found.total >= least  # NaN is reached by nothing
    if failed:
        terminal.note(f"the score is {found.total:g}, below {least:g}")
    return ExitCode.CHECK_FAILED if failed else ExitCode.OK


def _show(found: "Score", *, verbose: bool) -> None:
    from mlxkit.gates.score.questions import PARTS
    from mlxkit.gates.score.score import advice

    total = terminal.styled(f"score {found.total:g} of {_MOST}", "bold")
    terminal.write(f"{total} at {found.commit[:12]}: the lowest of the four parts")
    for part in PARTS:
        terminal.write(f"{part}: {found.of(part):g}")
        for one in found.answers:
            if one.question.part == part:
                _show_answer(one, advice(one, found.workflow), verbose=verbose)
    following = found.next
    if following is not None:
        wrapped(f"next point, {following.question.part}: {following.question.text}", "", "    ")
        wrapped(advice(following, found.workflow), "    ", "    ")
    if found.of("monitoring") == 0:
        terminal.note("monitoring scores 0: mlx does not watch what serves yet")


def _show_answer(one: "Answer", how: str, *, verbose: bool) -> None:
    mark, style = _MARKS[one.found.points]
    why = f" ({one.found.why})" if one.found.why else ""
    wrapped(f"{one.question.text}{why}", f"  {terminal.styled(mark, style)} ", "    ")
    if verbose and one.found.points < 1:
        wrapped(how, "      ", "      ")


def _document(found: "Score") -> dict[str, Any]:
    from mlxkit.gates.score.questions import PARTS
    from mlxkit.gates.score.score import advice

    following = found.next
    return {
        "score": found.total,
        "commit": found.commit,
        "parts": {part: found.of(part) for part in PARTS},
        "tests": [
            {
                "part": one.question.part,
                "test": one.question.text,
                "points": one.found.points,
                "evidence": one.found.why or None,
                "missing": advice(one, found.workflow) if one.found.points < 1 else None,
            }
            for one in found.answers
        ],
        "next": following
        and {
            "part": following.question.part,
            "test": following.question.text,
            "how": advice(following, found.workflow),
        },
    }
