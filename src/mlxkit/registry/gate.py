"""The deployment gate of a version: judged at its commit, by the rules of that commit."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlxkit.audit.log import identity
from mlxkit.core.errors import ProjectError, UsageError
from mlxkit.gates.judge import Judged, judge, keep, let_through
from mlxkit.gates.override import check
from mlxkit.gates.revisions import Revisions
from mlxkit.pipeline.session import Session

GATE = "deployment"


class Gated(NamedTuple):
    """What the gate said, and whether the version may go on; `judged` is None without a gate."""

    judged: Judged | None
    records: Mapping[str, str] = {}
    overridden: bool = False
    by: str = ""
    reason: str = ""

    @property
    def passed(self) -> bool:
        """Tell whether all rules passed."""
        return self.judged is not None and self.judged.passed

    @property
    def may_pass(self) -> bool:
        """Tell whether it passed, was let through, or was left out."""
        return self.judged is None or self.passed or self.overridden

    @property
    def rules(self) -> int:
        """Return how many rules there are."""
        return sum(len(one) for one in self.judged.rules.values()) if self.judged else 0

    def told(self) -> dict[str, Any]:
        """Return what a tag and the audit log say of it."""
        found: dict[str, Any] = {"passed": self.passed}
        if self.judged is None:
            found["left_out"] = True
        if self.overridden:
            found["overridden"] = True
        if self.reason:
            found |= {"by": self.by, "reason": self.reason}
        if self.records.get(GATE):
            found["record"] = self.records[GATE]
        return found


def pass_gate(
    session: Session, commit: str, *, leave_out: bool, override: bool, name: str, reason: str
) -> Gated:
    """Judge a commit for deployment, and keep the verdicts.

    `leave_out` is for a commit that has no such gate, `override` lets a failed one through, on
    record. Raises UsageError, ProjectError where the gate is missing, MlxError where data are.
    """
    assert session.git_root is not None
    if override:
        check(reason, name or "Git's user")
    who = name.strip() or identity(session.git_root).name
    revisions = Revisions(session)
    gates = revisions.settings(revisions.judged(commit))["gates"]
    if leave_out and GATE in gates:
        raise UsageError(
            f"{commit[:7]} has a gate '{GATE}': --no-gate is for a commit without",
            hint="leave --no-gate out; where the gate fails: --override --reason TEXT",
        )
    if leave_out:
        return Gated(None, by=who, reason=reason.strip())
    if GATE not in gates:
        raise ProjectError(
            f"has no gate '{GATE}' at {commit[:7]}: nothing says when a model may be deployed",
            where="mlx.yaml",
            hint=f"write, and commit: gates: {{{GATE}: [{{threshold: {{metric: "
            '"metrics.json:accuracy", min: 0.9}}]}   or: --no-gate --reason TEXT',
        )
    judged = judge(session, [GATE], commit, None)
    _require_a_verdict(judged, commit)
    records = keep(session, judged)
    if judged.passed or not override:
        return Gated(judged, records)
    let_through(session, judged, records, who, reason.strip())
    return Gated(judged, records, overridden=True, by=who, reason=reason.strip())


def _require_a_verdict(judged: Judged, commit: str) -> None:
    """Where `when` skips every rule, nothing said that the model may go on."""
    told = [each for one in judged.outcomes for each in one.verdicts]
    if all(one.verdict == "skipped" for one in told):
        raise ProjectError(
            f"gate '{GATE}' judges nothing at {commit[:7]}, every rule is skipped: {told[0].why}",
            where="mlx.yaml",
            hint="have a rule without `when`, and commit",
        )
