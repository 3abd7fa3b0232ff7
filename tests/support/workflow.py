"""Runs a workflow's own steps as GitHub would, on this machine: in fresh clones of a bare origin.

It knows what our workflows use. Whatever else it meets (a key, an action, an expression) fails the
test. Three things are not GitHub's: setting up Python and the steps named `Install` do nothing,
since the environment of the tests is installed; an environment is approved if it is in `approved`.
"""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .commands import Result, run
from .expressions import NotUnderstood, fill, holds
from .github_api import GitHub, User
from .tools import Tools

SKIPPED = ("Install",)
ROBOT = "github-actions[bot]"
_KEYS = {
    "workflow": {"name", True, "permissions", "concurrency", "env", "jobs"},
    "job": {
        "name", "runs-on", "timeout-minutes", "permissions", "outputs", "steps", "needs", "if",
        "environment", "strategy",
    },
    "step": {"name", "id", "uses", "with", "run", "env", "if"},
    "on": {"push", "pull_request", "workflow_dispatch", "schedule"},
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """What happened: a name of GitHub's, the ref and commit it is about, and its document."""

    name: str
    ref: str
    sha: str
    document: Mapping[str, Any]
    fork: bool = False


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
            for label, row in _rows(name, job):
                done[label] = self._job(place, label, {**job, "matrix": row}, env, event, needs)
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
        machine = Machine(self, place / name, place / "artifacts", event, context)
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
        self, machine: "Machine", step: Mapping[str, Any], env: Mapping[str, str], state: Job
    ) -> None:
        name = step["name"]
        if not holds(step.get("if"), machine.context, state.status):
            state.steps.append(Step(name, "skipped"))
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


@dataclass
class Machine:
    """Where one job runs: a folder of its own, gone for the next one but for artifacts."""

    runner: Runner
    root: Path
    artifacts: Path
    event: Event
    context: dict[str, Any]
    count: int = 0

    def __post_init__(self) -> None:
        for name in ("home", "temp"):
            (self.root / name).mkdir(parents=True)
        self.summary.write_text("")
        (self.root / "event.json").write_text(json.dumps(self.event.document))

    @property
    def work(self) -> Path:
        """The checkout."""
        return self.root / "work"

    @property
    def summary(self) -> Path:
        """What steps write for people."""
        return self.root / "temp" / "summary.md"

    def shell(self, script: str, env: Mapping[str, str]) -> tuple[Result, dict[str, str]]:
        """Run a script as GitHub does without a word on the shell: `bash -e`."""
        self.count += 1
        file = self.root / "temp" / f"{self.count}.sh"
        file.write_text(script)
        output = self.root / "temp" / f"{self.count}.out"
        output.write_text("")
        told = {
            "CI": "true", "GITHUB_ACTIONS": "true", "HOME": str(self.root / "home"),
            "GITHUB_API_URL": self.runner.github.url, "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_EVENT_PATH": str(self.root / "event.json"), "GITHUB_OUTPUT": str(output),
            "GITHUB_REF": self.event.ref, "GITHUB_REPOSITORY": self.runner.github.repository,
            "GITHUB_SHA": self.event.sha, "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.root / "temp"),
            # A machine of GitHub's has no Git user, and nothing in its caches.
            "GIT_CONFIG_GLOBAL": str(self.root / "home" / ".gitconfig"),
            "DVC_SITE_CACHE_DIR": str(self.root / "home" / "site"),
        }  # fmt: skip
        argv = ["bash", "-e", str(file)]
        result = run(argv, self.work, {**self.runner.tools.env, **told, **env})
        lines = [one.partition("=") for one in output.read_text().splitlines()]
        return result, {name: value for name, _, value in lines}

    def use(self, action: str, given: dict[str, Any]) -> Result | None:
        """Do what an action does."""
        if action == "actions/checkout":
            self._check_out(given)
        elif action == "actions/setup-python":
            _known(given, {"python-version"})
        elif action == "actions/upload-artifact":
            _known(given, {"name", "path"})
            target = self.artifacts / given["name"]
            target.mkdir(parents=True)
            shutil.copy(self.work / given["path"], target)
        elif action == "actions/download-artifact":
            _known(given, {"name", "path"})
            shutil.copytree(self.artifacts / given["name"], given["path"])
        else:
            raise NotUnderstood(f"action {action}")
        return None

    def _check_out(self, given: dict[str, Any]) -> None:
        """Clone with all branches and tags, or one commit alone; remote branches are `origin/*`."""
        _known(given, {"ref", "fetch-depth", "persist-credentials"})
        assert given["persist-credentials"] is False
        tools, git = self.runner.tools, self.runner.tools.git
        git(self.root, "init", "-q", "--template=", "work")
        git(self.work, "remote", "add", "origin", str(self.runner.origin))
        commit = given.get("ref", self.event.sha)
        if given.get("fetch-depth") == 0:
            heads = "+refs/heads/*:refs/remotes/origin/*"
            git(self.work, "fetch", "-q", "origin", heads, "+refs/tags/*:refs/tags/*")
            git(self.work, "fetch", "-q", "origin", commit)
        else:
            git(self.work, "fetch", "-q", "--depth=1", self.runner.origin.as_uri(), commit)
        branch = self.event.ref.removeprefix("refs/heads/")
        if "ref" in given or branch == self.event.ref:
            git(self.work, "checkout", "-q", "--detach", commit)
        else:
            git(self.work, "checkout", "-q", "-B", branch, commit)
        assert tools.git(self.work, "rev-parse", "HEAD").stdout.strip() == commit


def _rows(name: str, job: Mapping[str, Any]) -> list[tuple[str, dict[str, str]]]:
    """The jobs that one with a matrix stands for: `test-3.12`; of one key only."""
    if "strategy" not in job:
        return [(name, {})]
    _known(job["strategy"], {"fail-fast", "matrix"})
    [(key, values)] = job["strategy"]["matrix"].items()
    return [(f"{name}-{value}", {key: value}) for value in values]


def triggered(on: Mapping[str, Any], event: Event) -> bool:
    """Tell whether an event starts a workflow with this `on`."""
    _known(on, _KEYS["on"])
    if event.name not in on:
        return False
    wanted = on[event.name]
    if event.name != "push":
        if event.name != "schedule" and wanted is not None:
            raise NotUnderstood(f"on {event.name}: {wanted}")
        return True
    _known(wanted, {"branches", "tags"})
    kind, name = event.ref.removeprefix("refs/").split("/", 1)
    patterns = wanted.get("branches" if kind == "heads" else "tags", [])
    return any(re.fullmatch(_pattern(one), name) for one in patterns)


def _pattern(pattern: str) -> str:
    """A filter as a regular expression: `**` is anything, `*` is anything but a slash."""
    if re.search(r"[?+\[\]!\\]", pattern):
        raise NotUnderstood(f"pattern {pattern}")
    parts = re.split(r"(\*\*|\*)", pattern)
    signs = {"**": ".*", "*": "[^/]*"}
    return "".join(signs.get(one) or re.escape(one) for one in parts)


def _given(value: Any, context: Mapping[str, Any]) -> Any:
    return fill(value, context) if isinstance(value, str) else value


def _only(part: Mapping[Any, Any], kind: str) -> None:
    _known(part, _KEYS[kind])


def _known(part: Mapping[Any, Any], known: Iterable[Any]) -> None:
    extra = set(part) - set(known)
    if extra:
        raise NotUnderstood(f"not understood: {sorted(map(str, extra))}")
