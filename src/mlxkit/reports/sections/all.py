"""All sections in the order in which they are shown."""

from mlxkit.reports.changes import Report
from mlxkit.reports.outline import Section
from mlxkit.reports.sections.cost import section as cost
from mlxkit.reports.sections.data import section as data
from mlxkit.reports.sections.gates import section as gates
from mlxkit.reports.sections.lineage import section as lineage
from mlxkit.reports.sections.metrics import section as metrics
from mlxkit.reports.sections.params import section as params
from mlxkit.reports.sections.slices import section as slices
from mlxkit.reports.sections.stages import section as stages

_MAKERS = (gates, metrics, slices, params, data, stages, cost, lineage)


def sections(report: Report) -> list[Section]:
    """Return the sections that have something to say."""
    return [one for make in _MAKERS if (one := make(report)).blocks]
