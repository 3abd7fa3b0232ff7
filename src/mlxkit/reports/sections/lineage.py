"""What the main model was made of, as a small diagram."""

from mlxkit.lineage.formats.mermaid import render
from mlxkit.reports.changes import Report
from mlxkit.reports.escape import shortened, visible
from mlxkit.reports.outline import Block, Diagram, Section


def section(report: Report) -> Section:
    """Return the diagram, folded."""
    found = report.lineage
    if found is None:
        return Section("Lineage", [])
    more = f", {found.left_out} more left out" if found.left_out else ""
    path = shortened(visible(found.path), 80)
    blocks: list[Block] = [Diagram(30, render(found.answer), f"what {path} was made of{more}")]
    return Section("Lineage", blocks)
