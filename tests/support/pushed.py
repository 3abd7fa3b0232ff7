"""A tiny project with gates and workflows: a bare repository its origin, a folder its storage."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .github_api import GitHub, serve
from .project import Project
from .tools import Tools
from .workflow import Job, Runner
from .workflow_event import Event

TRAIN = """\
import json, os
hidden = {"GITHUB_TOKEN", "STORAGE_KEY", "SIGNING_KEY", "HOST_KEY"}
assert not hidden & set(os.environ), "a stage saw a secret"
params = json.load(open("params.json"))
rows = open("data.csv").read().splitlines()
json.dump({"rows": len(rows), **params}, open("model.json", "w"))
json.dump({"acc": params["acc"], "rows": len(rows)}, open("metrics.json", "w"))
sex = {name: {"acc": params[name], "rows": 500} for name in ("women", "men")}
json.dump({"sex": sex}, open("slices.json", "w"))
"""
STAGES: dict[str, Any] = {
    "train": {
        "cmd": "python -S -E train.py",
        "deps": ["train.py", "data.csv"],
        "params": [{"params.json": ["acc", "women", "men"]}],
        "outs": ["model.json"],
        "metrics": [{"metrics.json": {"cache": False}}, "slices.json"],
    }
}
SETTINGS = """\
metrics: {acc: {better: higher}}
gates:
  training:
    - threshold: {metric: "metrics.json:rows", min: 2}
  test:
    - base: {metric: "metrics.json:acc", against: main}
    - slices: {file: slices.json, metric: acc, worst: 0.5}
  deployment:
    - threshold: {metric: "metrics.json:acc", min: 0.7}
"""
DEPLOY = """\
set -eu
test "$HOST_KEY" = h0st
mkdir -p "$HOME/../../../served"
cp -R "$1" "$HOME/../../../served/$STAGE-$MODEL-$VERSION"
"""
GOOD = {"acc": 0.8, "women": 0.7, "men": 0.8}


@dataclass
class Pushed:
    """The project, and a server that runs its workflows."""

    project: Project
    runner: Runner

    @property
    def github(self) -> GitHub:
        """The server's API."""
        return self.runner.github

    def change(self, branch: str, **params: float) -> str:
        """Change parameters on a branch, as a person who runs nothing; push it; its commit."""
        self.project.git("checkout", "-q", "-B", branch)
        self.project.write("params.json", json.dumps({**GOOD, **params}))
        return self.push(branch, "other parameters")

    def push(self, branch: str, message: str) -> str:
        """Commit everything and push it; the commit."""
        self.project.tools.commit(self.project.root, message)
        self.project.git("push", "-q", "origin", branch)
        return self.project.git("rev-parse", "HEAD").stdout.strip()

    def at_origin(self, ref: str) -> str:
        """What a ref of the bare repository is."""
        return self.project.tools.git(self.runner.origin, "rev-parse", ref).stdout.strip()

    def run(self, workflow: str, event: Event) -> dict[str, Job]:
        """Run one of the workflows that the pushed commit has."""
        path = f".github/workflows/mlx-{workflow}.yml"
        text = self.project.tools.git(self.runner.origin, "show", f"{event.sha}:{path}").stdout
        done = self.runner.run(text, event)
        assert done is not None, f"{workflow} does not run on {event.name} {event.ref}"
        return done

    def pushed(self, branch: str, before: str = "0" * 40) -> Event:
        """The event of a push to a branch."""
        document = {"before": before, "repository": {"default_branch": "main"}}
        return Event("push", f"refs/heads/{branch}", self.at_origin(branch), document)

    def tagged(self, tag: str) -> Event:
        """The event of a push of a tag."""
        document = {"before": "0" * 40, "repository": {"default_branch": "main"}}
        commit = self.at_origin(f"refs/tags/{tag}^{{commit}}")
        return Event("push", f"refs/tags/{tag}", commit, document)

    def scheduled(self) -> Event:
        """The event of the clock."""
        document = {"schedule": "17 3 * * 1", "repository": {"default_branch": "main"}}
        return Event("schedule", "refs/heads/main", self.at_origin("main"), document)

    def requested(self, branch: str, *, fork: bool = False) -> Event:
        """The event of a pull request from a branch to main."""
        name = "eve/census" if fork else self.github.repository
        head = {"sha": self.at_origin(branch), "repo": {"full_name": name}}
        request = {"number": 12, "head": head, "base": {"sha": self.at_origin("main")},
                   "user": {"login": "ann"}}  # fmt: skip
        document = {"pull_request": request, "repository": {"default_branch": "main"}}
        return Event("pull_request", "refs/pull/12/merge", head["sha"], document, fork)


PLACE = "people/ann/work"
"""As deep as a checkout of the server: relative paths to storage and source are the same."""


def make_pushed(tools: Tools, template: Path, folder: Path, lock: str) -> None:
    """Make the project at `PLACE` in `folder`, with `origin.git`, `storage` and `source`."""
    project = Project.copy(template, folder / PLACE, tools)
    for name in ("source", "storage"):
        (folder / name).mkdir()
    (folder / "source" / "data.csv").write_text("a\nb\n")
    tools.git(folder, "init", "-q", "--bare", "--template=", "-b", "main", "origin.git")
    project.git("remote", "add", "origin", "../../../origin.git")
    project.dvc("remote", "add", "-d", "storage", "../../../storage").ok()
    project.dvc("import-url", "../../../source/data.csv", "data.csv").ok()
    project.write("train.py", TRAIN)
    project.write("params.json", json.dumps(GOOD))
    project.pipeline(STAGES, artifacts={"census": {"path": "model.json", "type": "model"}})
    project.write("mlx.yaml", SETTINGS)
    project.write(".gitignore", "/data.csv\n/.mlx\n")
    install = "python -m pip install --requirement requirements.txt"
    secrets = (
        "--secret", "STORAGE_KEY", "--signing-key", "MLX_KEY", "--deploy-secret", "HOST_KEY"
    )  # fmt: skip
    project.mlx("ci", "init", "-q", "--lock", lock, "--install", install, *secrets).ok()
    project.write(".github/deploy.sh", DEPLOY)
    project.mlx("repro", "-q").ok()
    tools.commit(project.root, "trained")
    project.git("push", "-q", "-u", "origin", "main")
    project.mlx("push", "-q").ok()


@contextmanager
def opened(made: Path, tools: Tools, folder: Path) -> Iterator[Pushed]:
    """Copy what `make_pushed` made, and serve it until the block ends."""
    shutil.copytree(made, folder, symlinks=True, dirs_exist_ok=True)
    with serve(GitHub()) as github:
        secrets = {"STORAGE_KEY": "s3cret", "HOST_KEY": "h0st"}
        runner = Runner(tools, folder, folder / "origin.git", github, secrets)
        yield Pushed(Project(folder / PLACE, tools), runner)
