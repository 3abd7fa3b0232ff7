"""Two projects that must stay alike while different tools work in them."""

from collections.abc import Callable
from dataclasses import dataclass

from .edits import Scenario, Step
from .outcome import UNCHANGED, Outcome, of_dvc, of_mlx
from .project import Project
from .snapshot import differences

Repro = Callable[[Project, tuple[str, ...]], Outcome]


def dvc_repro(project: Project, arguments: tuple[str, ...]) -> Outcome:
    """`dvc repro`."""
    return of_dvc(project.dvc("repro", *arguments))


def mlx_repro(project: Project, arguments: tuple[str, ...]) -> Outcome:
    """`mlx repro -j 4`."""
    return of_mlx(project.mlx("repro", "-j", "4", "--json", *arguments))


@dataclass
class Twin:
    """One project per tool, made alike; `other` is the tool under test."""

    left: Project
    right: Project
    other: Repro = mlx_repro
    refusal: str = ""  # what dvc said when it could not do a step

    @classmethod
    def start(cls, project: Project, scenario: Scenario, other: Repro = mlx_repro) -> "Twin":
        """Prepare one project and copy it."""
        scenario.steps[0].apply(project.root)
        for path in scenario.tracked:
            project.dvc("add", path).ok()
        project.tools.commit(project.root, "sources")
        return cls(project, project.twin(project.root.name + "-twin"), other)

    def play(self, scenario: Scenario) -> None:
        """All steps; ends early where dvc itself fails, and then the other tool must fail too."""
        for number, step in enumerate(scenario.steps, 1):
            if not self.step(step, first=number == 1):
                return

    def step(self, step: Step, *, first: bool = False) -> bool:
        """One step in both projects; False when dvc could not do it."""
        if not first:
            step.apply(self.left.root)
            step.apply(self.right.root)
        return self.run(*step.arguments, swapped=step.swapped)

    def change(self, script: str) -> None:
        """Run the same shell script in both."""
        for project in (self.left, self.right):
            project.sh(script)

    def run(self, *arguments: str, swapped: bool = False, again: bool = True) -> bool:
        """Run dvc in one, the other tool in the other, and compare; False when dvc failed.

        With `again` each tool then looks at what the other one did, and must agree with it.
        """
        by_dvc, by_other = (self.right, self.left) if swapped else (self.left, self.right)
        expected = dvc_repro(by_dvc, arguments)
        actual = self.other(by_other, arguments)
        both = f"\n=== dvc\n{expected.result}\n=== other\n{actual.result}"
        assert bool(expected.code) == bool(actual.code), "exit codes differ" + both
        if expected.code:
            self.refusal = str(expected.result)
            return False
        assert actual.work == expected.work, (
            f"only dvc: {sorted(expected.work - actual.work)}\n"
            f"only other: {sorted(actual.work - expected.work)}{both}"
        )
        assert actual.only(UNCHANGED) == expected.only(UNCHANGED), "unchanged stages differ" + both
        same_order = actual.order == expected.order
        found = differences(by_dvc.snapshot(), by_other.snapshot(), same_order=same_order)
        assert not found, "left is dvc, right is the other:\n" + "\n".join(found) + both
        if again:
            self._nothing_to_do(by_dvc, by_other, arguments, actual)
        return True

    def _nothing_to_do(
        self, by_dvc: Project, by_other: Project, given: tuple[str, ...], first: Outcome
    ) -> None:
        """Each tool accepts what the other one left, and names the stages in the same order."""
        arguments = tuple(a for a in given if a in ("-P", "-k") or a[0] != "-")
        status, same = (p.dvc("status", "--json").ok().json for p in (by_dvc, by_other))
        assert status == same, f"dvc status\nafter dvc: {status}\nafter the other: {same}"
        # Each of them looks at its own work and at the other's.
        after_dvc = self.other(by_dvc, arguments)
        after_other = dvc_repro(by_other, arguments)
        both = (
            f"\n=== other, after dvc\n{after_dvc.result}"
            f"\n=== dvc, after other\n{after_other.result}"
        )
        assert after_dvc.code == after_other.code == 0, both
        assert after_dvc.work == after_other.work, "the tools find different work" + both
        if "-P" in arguments:
            assert first.order == after_other.order, "the order differs" + both
        if not status:
            assert not after_other.work, "work was found where nothing has changed" + both
        if "-P" in arguments:
            left = {name for name, changes in status.items() if changes != ["always changed"]}
            assert not left, f"work was left: {status}{both}"
        found = differences(by_other.snapshot(), by_dvc.snapshot(), same_order=False)
        assert not found, "after the second run, left is dvc:\n" + "\n".join(found) + both
