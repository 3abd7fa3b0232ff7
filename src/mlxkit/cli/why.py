"""`mlx why STAGE`: why it would run, or why it last ran."""

import os
import time
from typing import Any

from mlxkit.cli import terminal
from mlxkit.cli.describe import reason_json, reason_text
from mlxkit.cli.options import Json, OneStage, Quiet, Verbose, new_app
from mlxkit.cli.reading import reading
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.records import last
from mlxkit.pipeline.status import FRESH, STALE, StageStatus, find_status
from mlxkit.pipeline.targets import find_stages, order_stages
from mlxkit.runs.record import SHOWN

app = new_app()


@app.command()
def why(
    stage: OneStage, as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False
) -> int:
    """Say why a stage would run now; of one that is up to date, why it last ran.

    Example: mlx why train
    """
    with reading() as session:
        wanted = find_stages(session.declared, [stage])
        upstream = order_stages(session.graph, wanted)
        states = {one.stage.key: one for one in find_status(session, upstream).stages}
        told = []
        for one in wanted:
            reasons = () if one.key in states else tuple(session.why(one))
            state = StageStatus(one, STALE if reasons else FRESH, reasons)
            told.append(_told(states.get(one.key, state), last(session.root, one)))
    if as_json:
        terminal.write_json(told[0] if len(told) == 1 else {"stages": told})
        return 0
    for document in told:
        _show(document)
    return 0


def _told(now: StageStatus, before: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "stage": now.stage.address(os.getcwd()),
        "state": now.state,
        "reasons": [reason_json(one) for one in now.reasons],
        "last": before,
    }


def _show(told: dict[str, Any]) -> None:
    name = terminal.styled(told["stage"], "bold")
    if told["state"] != FRESH:
        terminal.write(
            f"{name} would run:" if told["state"] != "running" else f"{name} is running:"
        )
        _list(told["reasons"])
        return
    terminal.write(f"{name} is up to date")
    before = told["last"]
    if before is None:
        terminal.write("  it has not run here: its results came with the lock file")
        return
    ago = terminal.duration(max(0.0, time.time() - before["ended"]))
    took = terminal.duration(before["seconds"])
    run = f" (run {before['run'][:SHOWN]})" if before.get("run") else ""
    terminal.write(f"  last: {before['outcome']} {ago} ago{run}, took {took}, because:")
    _list(before["reasons"])


def _list(reasons: list[dict[str, str]]) -> None:
    for one in reasons:
        terminal.write(
            f"  - {reason_text(Reason(one['kind'], one['what'], one.get('detail', '')))}"
        )
