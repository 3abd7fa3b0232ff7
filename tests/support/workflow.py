"""Runs a workflow's own steps as GitHub would, on this machine: in fresh clones of a bare origin.

It knows what our workflows use. Whatever else it meets (a key, an action, an expression) fails the
test. Three things are not GitHub's: setting up Python and the steps named `Install` do nothing,
since the environment of the tests is installed; an environment is approved if it is in `approved`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .commands import Result
from .expressions import NotUnderstood, fill, holds
from .github_api import GitHub, User
from .tools import Tools
from .workflow_event import Event, known, triggered
from .workflow_machine import Machine

SKIPPED = ("Install",)
ROBOT = "github-actions[bot]"
_KEYS = {
    "workflow": {"name", True, "permissions", "concurrency", "defaults", "env", "jobs"},
    "job": {
        "name", "runs-on", "timeout-minutes", "permissions", "outputs", "steps", "needs", "if",
        "environment", "strategy", "concurrency",
    },
    "step": {"name", "id", "uses", "with", "run", "env", "if"},
}  # fmt: skip


@dataclass
class Step:
    """What became of one step."""

    name: str
    outcome: str
    result: Result | None = None

    @property
    def output(self) -> str:
        """All that it printed."""
        return self.result.stdout + self.result.stderr if self.result else ""


@dataclass
class Job:
    """What became of one job: success, failure, skipped, or waiting for an approval."""

    status: str = "skipped"
    steps: list[Step] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def step(self, name: str) -> Step:
        """The step of that name."""
        return next(one for one in self.steps if one.name == name)

    def __str__(self) -> str:
        lines = [f"job: {self.status}"]
        lines += [f"[{one.outcome}] {one.name}\n{one.result or ''}" for one in self.steps]
        return "\n".join(lines)


@dataclass
class Runner:
    """A server that runs workflows of one repository."""

    tools: Tools
    folder: Path
    origin: Path
    github: GitHub
    secrets: Mapping[str, str] = field(default_factory=dict)
    approved: frozenset[str] = frozenset()
    while_waiting: Callable[[], object] = lambda: None
    """What happens while a job waits for an approval."""
    ran: int = 0

    def run(self, text: str, event: Event) -> dict[str, Job] | None:
        """Run a workflow on an event; None where it is not one that triggers it."""
        document = yaml.safe_load(text)
        _only(document, "workflow")
        if document["permissions"] != {}:
            raise NotUnderstood("permissions of the whole workflow")
        if not triggered(document[True], event):
            return None
        self.ran += 1
        place = self.folder / f"run-{self.ran}"
        done: dict[str, Job] = {}
        for name, job in document["jobs"].items():
            _only(job, "job")
            needed = job.get("needs", [])
            needs = {one: done[one] for one in ([needed] if isinstance(needed, str) else needed)}
            env = document.get("env", {})
            shell = {**document["defaults"]["run"]}
            if shell.pop("shell") != "bash":
                raise NotUnderstood("another shell")
            folder = shell.get("working-directory", "")
            for label, row in _rows(name, job):
                whole = {**job, "matrix": row, "folder": folder}
                done[label] = self._job(place, label, whole, env, event, needs)
        return done

    def _job(
        self,
        place: Path,
        name: str,
        job: Mapping[str, Any],
        env: Mapping[str, str],
        event: Event,
        needs: Mapping[str, Job],
    ) -> Job:
        token = self._token(f"{place.name}-{name}", job["permissions"], event)
        told = {
            one: {"outputs": each.outputs, "result": each.status} for one, each in needs.items()
        }
        context: dict[str, Any] = {
            "github": self._github(event, token), "needs": told, "steps": {},
            "secrets": {} if event.fork else dict(self.secrets),
            "runner": {"temp": str(place / name / "temp")}, "matrix": job["matrix"],
        }  # fmt: skip
        failed = any(one.status != "success" for one in needs.values())
        state = Job()
        if not holds(job.get("if"), context, "failure" if failed else "success"):
            return state
        environment = fill(job.get("environment", ""), context)
        if "environment" in job and environment not in self.approved:
            state.status = "waiting"
            return state
        if "environment" in job:
            self.while_waiting()
        # In whose place this may wait; what is not known there is refused.
        fill(job.get("concurrency", {}).get("group", ""), context)
        machine = Machine(
            *(self.tools, self.origin, self.github),
            *(place / name, place / "artifacts", event, context, job["folder"]),
        )
        state.status = "success"
        for step in job["steps"]:
            _only(step, "step")
            self._step(machine, step, env, state)
        state.outputs = {
            key: fill(value, context, state.status) for key, value in job.get("outputs", {}).items()
        }
        state.summary = machine.summary.read_text()
        return state

    def _step(
        self, machine: Machine, step: Mapping[str, Any], env: Mapping[str, str], state: Job
    ) -> None:
        name = step["name"]
        if not holds(step.get("if"), machine.context, state.status):
            state.steps.append(Step(name, "skipped"))
            if "id" in step:
                machine.context["steps"][step["id"]] = {"outputs": {}, "outcome": "skipped"}
            return
        outputs: dict[str, str] = {}
        result = None
        if "uses" in step:
            given = {k: _given(v, machine.context) for k, v in step.get("with", {}).items()}
            result = machine.use(step["uses"].partition("@")[0], given)
        elif name not in SKIPPED:
            if "${{" in step["run"]:
                raise NotUnderstood(f"an expression within a script: {step['run']}")
            own = {**env, **step.get("env", {})}
            filled = {key: fill(str(value), machine.context) for key, value in own.items()}
            result, outputs = machine.shell(step["run"], filled)
        outcome = "failure" if result and result.code else "success"
        if outcome == "failure":
            state.status = "failure"
        state.steps.append(Step(name, outcome, result))
        if "id" in step:
            machine.context["steps"][step["id"]] = {"outputs": outputs, "outcome": outcome}

    def _token(self, name: str, permissions: Mapping[str, str], event: Event) -> str:
        may = permissions.get("pull-requests") == "write" and not event.fork
        self.github.tokens[f"ghs_{name}"] = User(ROBOT, "Bot", may_write=may)
        return f"ghs_{name}"

    def _github(self, event: Event, token: str) -> dict[str, Any]:
        return {
            "event_name": event.name, "event": event.document, "ref": event.ref, "sha": event.sha,
            "repository": self.github.repository, "token": token, "server_url": "https://github.com",
        }  # fmt: skip


def _rows(name: str, job: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """The jobs that one with a matrix stands for: `test-3.12`; of one key only."""
    if "strategy" not in job:
        return [(name, {})]
    known(job["strategy"], {"fail-fast", "matrix"})
    [(key, values)] = job["strategy"]["matrix"].items()
    return [(f"{name}-{value}", {key: value}) for value in values]


def _given(value: Any, context: Mapping[str, Any]) -> Any:
    return fill(value, context) if isinstance(value, str) else value


def _only(part: Mapping[Any, Any], kind: str) -> None:
    known(part, _KEYS[kind])
