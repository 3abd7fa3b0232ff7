"""`mlx model show`: all that is known of a version."""

from typing import TYPE_CHECKING, Any

from mlxkit.cli import terminal
from mlxkit.cli.model_about import knowing_about
from mlxkit.cli.model_options import What, content_json, when
from mlxkit.cli.options import Json, Quiet, Verbose, new_app
from mlxkit.cli.terminal import counted, printable
from mlxkit.cli.wrapping import cut, room, wrapped

if TYPE_CHECKING:
    from mlxkit.registry.about import About

app = new_app()

_SOME = 16
_WIDTH = 15


@app.command()
def show(what: What, as_json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> int:
    """Show a version: what it is, what made it, its metrics, gates, stages and attestations.

    Example: mlx model show census#prod
    """
    with knowing_about(what, quiet=quiet or as_json) as (found, _):
        pass
    if as_json:
        terminal.write_json(_document(found))
    elif not quiet:
        _show(found, everything=verbose)
    return 0


def _show(found: "About", *, everything: bool) -> None:
    chosen, content, made = found.chosen, found.content, found.made
    terminal.write(terminal.styled(chosen.shown, "bold"))
    _line("commit", chosen.commit[:12])
    if content is not None:
        size = f"  {terminal.size(content.size)}" if content.size is not None else ""
        _line("file", f"{content.path}  {content.md5[:12]}{size}")
    if chosen.version is not None:
        event = chosen.version.event
        gone = "" if chosen.version.active else "; taken back"
        _line(
            "registered",
            f"{when(event.time)} by {event.name}, tag {event.tag}, signature: "
            f"{found.signature}{gone}",
        )
    for name in found.stages:
        event = chosen.model.stages[name].event
        note = f"; {event.note}" if event.note else ""
        _line(f"in {name}", f"since {when(event.time)} by {event.name}, tag {event.tag}{note}")
    if not found.stages:
        _line("stages", "none")
    others = [f"{one.name}" for one in chosen.model.active if one.commit != chosen.commit]
    _line("versions", ", ".join(others[:8]) + (" ..." if len(others) > 8 else "") or "no others")
    if made is None:
        _line("made by", "not recorded")
    else:
        _line("made by", f"{made.stage}, {made.date[:10]}, from {counted(len(made.deps), 'input')}")
    if found.lineage is not None:
        raw = [one.path for one in found.lineage.upstream() if one.kind == "data"]
        _line("data", ", ".join(raw[:4]) + (" ..." if len(raw) > 4 else "") or "not recorded")
    _measured(found, everything)
    for name, gate in found.gates.items():
        passed = gate.verdict.what.get("passed") is True
        said = "passed" if passed else "failed"
        if gate.override is not None:
            said += f", let through by {gate.override.name}: {gate.override.reason}"
        _line(f"gate {name}", said, "green" if passed else "red")
    if not found.gates:
        _line("gates", "not recorded")
    for one in found.attested:
        said = f"holds, by {', '.join(one.signers)}" if one.ok else f"not verified: {one.why}"
        _line("attested", said)
    for trouble in found.troubles:
        terminal.note(f"note: {printable(trouble)}")


def _measured(found: "About", everything: bool) -> None:
    from mlxkit.metrics.load import flatten
    from mlxkit.metrics.slices import slices_of

    for path, values in found.params.items():
        _values(path, flatten(values), everything)
    if not found.params:
        _line("params", "none" if found.made is not None else "not recorded")
    for path, values in found.metrics.items():
        if path in found.sliced and not everything:
            slices = counted(len(list(slices_of(values))), "slice")
            terminal.write(f"  {printable(path)}\n    {slices}: -v, or mlx model card")
        else:
            _values(path, flatten(values), everything)
    if not found.metrics:
        _line("metrics", "not recorded")


def _line(name: str, value: str, style: str = "") -> None:
    wrapped(value, f"  {printable(name).ljust(_WIDTH)}  ", " " * (_WIDTH + 4), style)


def _values(title: str, values: dict[str, Any], everything: bool) -> None:
    if not values:
        _line(title, "not recorded")
        return
    chosen = list(values.items()) if everything else list(values.items())[:_SOME]
    terminal.write(f"  {printable(title)}")
    width = max(len(printable(name)) for name, _ in chosen)
    for name, value in chosen:
        start, shown = f"    {printable(name).ljust(width)}  ", printable(str(value))
        if everything:
            wrapped(shown, start, " " * 8)
        else:
            terminal.write(start + cut(shown, room() - len(start)))
    if len(chosen) < len(values):
        terminal.write(f"    ... {len(values) - len(chosen)} more: -v")


def _document(found: "About") -> dict[str, Any]:
    chosen, made, version = found.chosen, found.made, found.chosen.version
    event = version.event if version else None
    lineage = found.lineage
    return {
        "model": chosen.model.name,
        "version": version.name if version else None,
        "commit": chosen.commit,
        "tag": event.tag if event else None,
        "active": version.active if version else None,
        "registered": {"name": event.name, "email": event.email, "time": event.time,
                       "signature": found.signature, "message": event.message} if event else None,
        "content": content_json(found.content) if found.content else None,
        "stages": found.stages,
        "promotions": [
            {"stage": one.meaning.stage, "tag": one.tag, "time": one.time, "told": dict(one.told)}
            for one in chosen.model.events
            if one.meaning.action == "assign" and one.commit == chosen.commit
        ],
        "made": {"stage": made.stage, "cmd": made.cmd, "commit": made.commit, "date": made.date,
                 "deps": [one._asdict() for one in made.deps],
                 "run": made.run.get("id") if made.run else None} if made else None,
        "data": [{"path": one.path, "md5": one.md5, "size": one.size}
                 for one in lineage.upstream() if one.kind == "data"] if lineage else None,
        "params": found.params,
        "metrics": found.metrics,
        "own_metrics": list(found.own),
        "gates": {
            name: {"passed": one.verdict.what.get("passed") is True, "record": one.verdict.id,
                   "when": one.verdict.when, "verdicts": one.verdict.what.get("verdicts"),
                   "override": one.override._asdict() if one.override else None}
            for name, one in found.gates.items()
        },
        "attestations": [one._asdict() for one in found.attested],
        "said": dict(found.said),
        "troubles": list(found.troubles),
    }  # fmt: skip
