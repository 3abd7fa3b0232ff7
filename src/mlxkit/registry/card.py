"""A model card in Markdown (Mitchell et al. 2019), from records alone: nothing is made up.

Each section is there; what no record knows is said so. All names and values may be others' words.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mlxkit.lineage.formats.mermaid import render as mermaid
from mlxkit.metrics.load import flatten
from mlxkit.metrics.slices import slices_of
from mlxkit.registry.about import About
from mlxkit.registry.facts import Data, Facts
from mlxkit.registry.markdown import (
    MISSING,
    code,
    date,
    seconds,
    size,
    table,
    text,
)

_PACKAGES = ("distribution", "conda")
_SOME = 60
IN_GIT = "Nothing but what Git keeps, below."


def render(found: About, more: Facts) -> str:
    """Return the card."""
    parts = [
        _title(found), _details(found), _use(found), _data(more), _evaluation(found, more),
        _slices(found), _gates(found), _limits(found), _lineage(found), _environment(more),
        _cost(more),
    ]  # fmt: skip
    lines = [line for part in parts for line in (*part, "")]
    return "\n".join(lines).rstrip("\n") + "\n"


def _title(found: About) -> list[str]:
    lines = [f"# {text(found.chosen.shown)}", *(["", text(found.desc)] if found.desc else [])]
    lines += ["", f'From what is on record; what no record tells is "{MISSING}".']
    return lines + [f"\n> {text(one)}" for one in found.troubles]


def _details(found: About) -> list[str]:
    version, made, content = found.chosen.version, found.made, found.content
    event = version.event if version else None
    rows = [
        ("Version", text(version.name) if version else MISSING),
        ("Owner", _said(found, "owner")),
        ("License", _said(found, "license")),
        ("Registered", f"{text(event.name)}, {date(event.time)}" if event else MISSING),
        ("Tag", f"{code(event.tag)}, signature: {text(found.signature)}" if event else MISSING),
        ("Stages", "; ".join(_in_stage(found, one) for one in found.stages) or "none"),
        ("Commit", code(found.chosen.commit)),
        ("File", code(content.path) if content else MISSING),
        ("MD5", code(content.md5) if content else MISSING),
        ("Size", size(content.size) if content else MISSING),
        ("Made by stage", code(made.stage) if made and made.stage else MISSING),
        ("Command", code(_command(made.cmd)) if made and made.cmd else MISSING),
        ("Attestations", _attested(found)),
    ]
    params = [
        (code(path), code(name), code(value))
        for path, values in found.params.items()
        for name, value in flatten(values).items()
    ]
    none = ["none" if made else MISSING]
    return [
        "## Model details", "", *table(("", ""), rows), "", "### Parameters", "",
        *(table(("File", "Parameter", "Value"), params) if params else none),
    ]  # fmt: skip


def _in_stage(found: About, stage: str) -> str:
    event = found.chosen.model.stages[stage].event
    said = f"{text(stage)} since {date(event.time)}, by {text(event.name)}, {code(event.tag)}"
    return f"{said} ({text(event.note)})" if event.note else said


def _use(found: About) -> list[str]:
    return [
        "## Intended use", "", _said(found, "intended_use"), "",
        f"**Out of scope:** {_said(found, 'out_of_scope')}",
    ]  # fmt: skip


def _data(more: Facts) -> list[str]:
    kept = [(code(one.path), code(one.md5)) for one in more.kept]
    return [
        "## Training data", "", *_files(more.training, IN_GIT if kept else MISSING), "",
        "### What the stage read", "", *_files(more.inputs, IN_GIT if kept else MISSING), "",
        "### What Git keeps: code and small files", "",
        *(table(("File", "MD5"), kept) if kept else [MISSING]),
    ]  # fmt: skip


def _evaluation(found: About, more: Facts) -> list[str]:
    kept = [one for one in more.evaluation if one.kept]
    tracked = [one for one in more.evaluation if not one.kept]
    lines = ["## Evaluation data", "", *_files(tracked, IN_GIT if kept else MISSING)]
    for said, chosen in (
        ("Also read to make the model", [one for one in more.evaluation if one.trained]),
        ("What Git keeps", kept),
    ):
        if chosen:
            lines += ["", f"{said}: {', '.join(code(one.path) for one in chosen)}."]
    after = [path for path in found.metrics if path not in found.own]
    lines += ["", "## Metrics", "", *_measured(found, after)]
    if found.own:
        lines += [
            "",
            "### From the stage that made it",
            "",
            *_measured(found, found.own),
        ]
    return lines


def _measured(found: About, paths: Sequence[str]) -> list[str]:
    rows = [
        (code(path), code(name), code(value))
        for path in paths
        for name, value in flatten(_overall(found, path)).items()
    ]
    return table(("File", "Metric", "Value"), rows) if rows else [MISSING]


def _overall(found: About, path: str) -> Mapping[str, Any]:
    """Return what a metrics file says of all data: not what it says of slices."""
    values = found.metrics[path]
    if path not in found.sliced:
        return values
    return {key: one for key, one in values.items() if not isinstance(one, Mapping)}


def _slices(found: About) -> list[str]:
    lines = ["## Metrics by slice", ""]
    for path, values in found.metrics.items():
        slices = list(slices_of(values)) if path in found.sliced else []
        if not slices:
            continue
        told = [(one.title, flatten(one.values)) for one in slices]
        names = list(dict.fromkeys(name for _, each in told for name in each))
        rows = [
            (text(title), *(code(each[name]) if name in each else "-" for name in names))
            for title, each in told
        ]
        lines += [code(path), "", *table(("Slice", *map(text, names)), rows), ""]
    return lines[:-1] if len(lines) > 2 else [*lines, MISSING]


def _gates(found: About) -> list[str]:
    lines = ["## Gates", ""]
    for name, gate in found.gates.items():
        passed = gate.verdict.what.get("passed") is True
        lines.append(f"- **{text(name)}: {'passed' if passed else 'failed'}** "
                     f"({text(gate.verdict.when[:10])})")  # fmt: skip
        if gate.override is not None:
            by, why = text(gate.override.name), text(gate.override.reason)
            lines.append(f"  - let through by {by}: {why}")
        verdicts = gate.verdict.what.get("verdicts")
        for one in verdicts if isinstance(verdicts, list) else []:
            if isinstance(one, dict):
                lines.append(f"  - {text(one.get('verdict', '?'))}: {text(one.get('rule', '?'))}: "
                             f"{text(one.get('why', ''))}")  # fmt: skip
    return lines if len(lines) > 2 else [*lines, MISSING]


def _limits(found: About) -> list[str]:
    limits = found.said.get("limits") or []
    return [
        "## Limits", "", *([f"- {text(one)}" for one in limits] or [MISSING]), "",
        "## Ethical considerations", "", _said(found, "ethics"),
    ]  # fmt: skip


def _lineage(found: About) -> list[str]:
    lines = ["## Lineage", ""]
    if found.lineage is None or not found.lineage.producers:
        return [*lines, MISSING]
    kept = {one.md5 for one in (found.lineage.artifact, *found.lineage.upstream())}
    upstream = found.lineage._replace(
        nodes=tuple(one for one in found.lineage.nodes if one.md5 in kept),
        edges=tuple(one for one in found.lineage.edges if {one.source, one.target} <= kept),
    )
    return [*lines, "```mermaid", *mermaid(upstream).rstrip("\n").splitlines(), "```"]


def _environment(more: Facts) -> list[str]:
    lines = ["## Environment", ""]
    if not more.environment:
        return [*lines, MISSING]
    rows = [
        (text(one.name), code(one.now or ""))
        for one in more.environment
        if one.kind not in _PACKAGES
    ]
    lines += table(("", ""), rows) if rows else []
    packages = [f"{one.name} {one.now}" for one in more.environment if one.kind in _PACKAGES]
    if packages:
        left = len(packages) - _SOME
        others = f" and {left} more" if left > 0 else ""
        lines += ["", f"Distributions: {text(', '.join(packages[:_SOME]))}{others}"]
    return lines


def _cost(more: Facts) -> list[str]:
    one = more.cost
    if not one.runs:
        return ["## Cost", "", MISSING]
    rows = [
        ("Runs", str(one.runs)),
        ("Time", f"{one.seconds:.1f} s"),
        ("CPU time", seconds(one.cpu_seconds)),
        ("GPU time", seconds(one.gpu_seconds)),
        ("Peak memory", size(one.peak_memory)),
    ]
    if one.price is not None:
        rows.append(("Price", f"{one.price:.4g} {text(more.currency)}".rstrip()))
    return ["## Cost", "", "Of the runs that made it and what it was made of.", "",
            *table(("", ""), rows)]  # fmt: skip


def _files(data: Sequence[Data], otherwise: str) -> list[str]:
    rows = [
        (code(one.path), code(one.md5), size(one.size),
         MISSING if one.rows is None else f"{one.rows:,}")
        for one in data
    ]  # fmt: skip
    return table(("File", "MD5", "Size", "Rows"), rows) if rows else [otherwise]


def _said(found: About, key: str) -> str:
    value = found.said.get(key)
    return text(value) if value else MISSING


def _attested(found: About) -> str:
    if not found.attested:
        return MISSING
    shown = [
        f"{code(one.id[:12])} holds, signed by {text(', '.join(one.signers))}"
        if one.ok
        else f"{code(one.id[:12])} not verified: {text(one.why)}"
        for one in found.attested
    ]
    return "; ".join(shown)


def _command(cmd: str | list[str]) -> str:
    return " && ".join(cmd) if isinstance(cmd, list) else cmd
