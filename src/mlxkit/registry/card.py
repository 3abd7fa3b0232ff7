"""A model card in Markdown (Mitchell et al. 2019), from records alone: nothing is made up.

Each section is there; what no record knows is said so. All names and values may be others' words.
"""

from collections.abc import Mapping, Sequence

from mlxkit.lineage.formats.mermaid import render as mermaid
from mlxkit.metrics.load import flatten
from mlxkit.registry.about import About
from mlxkit.registry.facts import Data, Facts
from mlxkit.registry.markdown import (
    MISSING,
    code,
    date,
    has_slices,
    seconds,
    size,
    slices_of,
    table,
    text,
)

_PACKAGES = 60


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
    lines = [f"# {text(found.chosen.shown)}"]
    if found.desc:
        lines += ["", text(found.desc)]
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
        ("Stages", text(", ".join(found.stages)) or "none"),
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
    return [
        "## Model details", "", *table(("", ""), rows), "", "### Parameters", "",
        *(table(("File", "Parameter", "Value"), params) if params else [MISSING]),
    ]  # fmt: skip


def _use(found: About) -> list[str]:
    return [
        "## Intended use", "", _said(found, "intended_use"), "",
        f"**Out of scope:** {_said(found, 'out_of_scope')}",
    ]  # fmt: skip


def _data(more: Facts) -> list[str]:
    return [
        "## Training data", "", *_files(more.training), "", "### What the stage read", "",
        *_files(more.inputs),
    ]  # fmt: skip


def _evaluation(found: About, more: Facts) -> list[str]:
    rows = [
        (code(path), code(name), code(value))
        for path, values in found.metrics.items()
        if not has_slices(values)
        for name, value in flatten(values).items()
    ]
    measured = table(("File", "Metric", "Value"), rows) if rows else [MISSING]
    return ["## Evaluation data", "", *_files(more.evaluation), "", "## Metrics", "", *measured]


def _slices(found: About) -> list[str]:
    lines = ["## Metrics by slice", ""]
    for path, values in found.metrics.items():
        slices = list(slices_of(values)) if has_slices(values) else []
        if not slices:
            continue
        names = list(dict.fromkeys(name for _, each in slices for name in each))
        rows = [
            (text(title), *(code(each[name]) if name in each else "-" for name in names))
            for title, each in slices
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
            lines.append(
                f"  - let through by {text(gate.override.name)}: {text(gate.override.reason)}"
            )
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
        edges=tuple(
            one for one in found.lineage.edges if one.source in kept and one.target in kept
        ),
    )
    return [*lines, "```mermaid", *mermaid(upstream).rstrip("\n").splitlines(), "```"]


def _environment(more: Facts) -> list[str]:
    lines = ["## Environment", ""]
    told = more.environment
    if not told:
        return [*lines, MISSING]
    packages = told.get("distributions")
    plain = [
        (text(key), code(value))
        for key, value in told.items()
        if isinstance(value, (str, int, float)) and key != "format"
    ]
    lines += table(("", ""), plain)
    if isinstance(packages, Mapping) and packages:
        shown = [f"{name} {version}" for name, version in sorted(packages.items())]
        more_ = f" and {len(shown) - _PACKAGES} more" if len(shown) > _PACKAGES else ""
        lines += ["", f"Distributions: {text(', '.join(shown[:_PACKAGES]))}{more_}"]
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


def _files(data: Sequence[Data]) -> list[str]:
    rows = [
        (code(one.path), code(one.md5), size(one.size),
         MISSING if one.rows is None else f"{one.rows:,}")
        for one in data
    ]  # fmt: skip
    return table(("File", "MD5", "Size", "Rows"), rows) if rows else [MISSING]


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
