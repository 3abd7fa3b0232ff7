"""An answer of lineage for people: the producers, then a tree of what it was made of, or of it."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from mlxkit.cli import terminal
from mlxkit.cli.lineage_draw import SHOWN, Tree, value_text
from mlxkit.cli.terminal import printable, styled
from mlxkit.lineage.answer import Answer, Producer
from mlxkit.lineage.document import changes
from mlxkit.metrics.load import flatten

_PRODUCERS = 5
_VALUES = 6


def show(answer: Answer, what: str, *, upstream: bool, downstream: bool, everything: bool) -> None:
    """Print the answer; `downstream` as a tree too, else only its size."""
    one = answer.artifact
    _write(styled(printable(one.path or what), "bold"))
    size = f"  {terminal.size(one.size)}" if one.size is not None else ""
    _write(f"md5 {printable(one.md5)}{size}")
    others = [path for path in one.paths if path != one.path]
    if others:
        _write("also at " + printable(", ".join(others[:3])) + (", ..." if len(others) > 3 else ""))
    _write()
    if not answer.producers:
        known = "stages only read it: git log tells who wrote it" if answer.edges else ""
        _write(known or "no commit and no run on record made it")
        if downstream or upstream:
            _write()
    _show_producers(answer, everything)
    tree = Tree(answer, everything)
    if upstream and answer.upstream():
        _write("made of")
        tree.show("upstream")
    made = answer.downstream()
    if downstream and made:
        _write("made of it")
        tree.show("downstream")
    elif downstream:
        _write("nothing on record was made of it")
    elif made:
        were = "was" if len(made) == 1 else "were"
        _write(f"{terminal.counted(len(made), 'artifact')} {were} made of it: --downstream")


def _show_producers(answer: Answer, everything: bool) -> None:
    chosen = answer.producers
    hidden = 0 if everything else max(0, len(chosen) - _PRODUCERS)
    if hidden:
        # The first ones tell where it began, the last ones what is new.
        chosen = (*chosen[: _PRODUCERS - 1], chosen[-1])
    for number, one in enumerate(chosen):
        if hidden and number == _PRODUCERS - 1:
            _write(styled(f"  ... {hidden} more: -v", "dim"))
            _write()
        _show_producer(one, answer)
        _write()


def _show_producer(one: Producer, answer: Answer) -> None:
    _write(_headline(one))
    if one.subject:
        _write(f"  {printable(one.subject)}")
    if one.border:
        _write("  " + styled("here begins a shallow clone: it may be older", "yellow"))
    if one.cmd is None:
        _field("added", f"{one.stage} ({one.path})" if one.path else one.stage)
        for dep in one.deps:
            _field("from", dep.path)
        return
    _field("stage", one.stage + ("" if one.path == answer.artifact.path else f"  ({one.path})"))
    lines = one.cmd if isinstance(one.cmd, list) else one.cmd.splitlines()
    for number, line in enumerate(lines):
        _field("" if number else "cmd", line)
    for label, values in _param_lines(one):
        _field(label, values)
    if one.run is not None:
        _field("run", _run_text(one.run))


def _headline(one: Producer) -> str:
    when = printable(one.date[:16].replace("T", " "))
    author = printable(one.author)
    if one.commit:
        refs = printable(f"  ({', '.join(_some(one.refs))})") if one.refs else ""
        head = styled(one.commit[:SHOWN], "yellow")
        return f"{head}  {when}  {author}{styled(refs, 'cyan')}"
    if one.run is not None and one.date:
        return f"{styled('not committed', 'yellow')}  {when}  {author}".rstrip()
    return styled("in the working tree, not committed", "yellow")


def _some(refs: tuple[str, ...]) -> list[str]:
    return [*refs[:3], f"{len(refs) - 3} more"] if len(refs) > 4 else list(refs)


def _param_lines(one: Producer) -> Iterator[tuple[str, str]]:
    """Yield what changed since the version before, or, without one, the values."""
    if one.before is None:
        told = {file: flatten(values) for file, values in one.params.items() if values}
        lines = [f"{file}: {_values(values)}" for file, values in told.items()]
    else:
        lines = [
            f"{file}: " + ", ".join(_change(name, *pair) for name, pair in values.items())
            for file, values in changes(one.before, one.params).items()
        ]
    for number, line in enumerate(lines):
        yield "" if number else "params", line


def _values(values: Mapping[str, Any]) -> str:
    shown = [f"{name} {value_text(value)}" for name, value in list(values.items())[:_VALUES]]
    return ", ".join(shown) + (f", {len(values) - _VALUES} more" if len(values) > _VALUES else "")


def _change(name: str, old: Any, new: Any) -> str:
    return f"{name} {value_text(old)} -> {value_text(new)}"


def _run_text(run: Mapping[str, Any]) -> str:
    told = [str(run.get("id", ""))[:12], str(run.get("outcome", ""))]
    if isinstance(run.get("seconds"), int | float):
        told.append(terminal.duration(run["seconds"]))
    if isinstance(run.get("experiment"), str):
        told.append(f"experiment {run['experiment']}")
    else:
        told.append("changes not committed" if run.get("dirty") else "clean tree")
    host = run.get("host")
    if isinstance(host, Mapping) and host.get("name"):
        told.append(f"on {host['name']}")
    return ", ".join(part for part in told if part)


def _field(name: str, text: str) -> None:
    """Print a line with a label; long text goes on below it."""
    text = printable(text.expandtabs(4))
    room = max(20, terminal.width(sys.stdout) - 11)
    while text or name:
        part = text
        if sys.stdout.isatty() and len(text) > room:
            cut = text.rfind(" ", 20, room)
            part = text[: cut if cut > 0 else room]
        _write(f"  {styled(f'{name:<7}', 'dim')}  {part}".rstrip())
        text, name = text[len(part) :].lstrip(), ""


def _write(text: str = "") -> None:
    terminal.write(text)
