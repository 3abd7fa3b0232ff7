"""The machine of one job: its checkout, its scripts, and what the actions do there."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .commands import Result, run
from .expressions import NotUnderstood
from .github_api import GitHub
from .tools import Tools
from .workflow_event import Event, known


@dataclass
class Machine:
    """Where one job runs: a folder of its own, gone for the next one but for artifacts."""

    tools: Tools
    origin: Path
    github: GitHub
    root: Path
    artifacts: Path
    event: Event
    context: dict[str, Any]
    folder: str = ""
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
        """Run a script as GitHub does with `shell: bash`."""
        self.count += 1
        file = self.root / "temp" / f"{self.count}.sh"
        file.write_text(script)
        output = self.root / "temp" / f"{self.count}.out"
        output.write_text("")
        told = {
            "CI": "true", "GITHUB_ACTIONS": "true", "HOME": str(self.root / "home"),
            "GITHUB_API_URL": self.github.url, "GITHUB_EVENT_NAME": self.event.name,
            "GITHUB_EVENT_PATH": str(self.root / "event.json"), "GITHUB_OUTPUT": str(output),
            "GITHUB_REF": self.event.ref, "GITHUB_REPOSITORY": self.github.repository,
            "GITHUB_SHA": self.event.sha, "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_WORKSPACE": str(self.work),
            "RUNNER_TEMP": str(self.root / "temp"),
            # A machine of GitHub's has no Git user, and nothing in its caches.
            "GIT_CONFIG_GLOBAL": str(self.root / "home" / ".gitconfig"),
            "DVC_SITE_CACHE_DIR": str(self.root / "home" / "site"),
        }  # fmt: skip
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(file)]
        result = run(argv, self.work / self.folder, {**self.tools.env, **told, **env})
        lines = [one.partition("=") for one in output.read_text().splitlines()]
        return result, {name: value for name, _, value in lines}

    def use(self, action: str, given: dict[str, Any]) -> Result | None:
        """Do what an action does."""
        if action == "actions/checkout":
            self._check_out(given)
        elif action == "actions/setup-python":
            known(given, {"python-version"})
        elif action == "actions/upload-artifact":
            known(given, {"name", "path", "if-no-files-found", "overwrite"})
            assert given["if-no-files-found"] == "error" and given["overwrite"]
            target = self.artifacts / given["name"]
            target.mkdir(parents=True)
            shutil.copy(self.work / given["path"], target)
        elif action == "actions/download-artifact":
            known(given, {"name", "path"})
            shutil.copytree(self.artifacts / given["name"], given["path"])
        else:
            raise NotUnderstood(f"action {action}")
        return None

    def _check_out(self, given: dict[str, Any]) -> None:
        """Clone with all branches and tags, or one commit alone; remote branches are `origin/*`."""
        known(given, {"ref", "fetch-depth", "persist-credentials"})
        assert given["persist-credentials"] is False
        git = self.tools.git
        git(self.root, "init", "-q", "--template=", "work")
        git(self.work, "remote", "add", "origin", str(self.origin))
        commit = given.get("ref", self.event.sha)
        if given.get("fetch-depth") == 0:
            heads = "+refs/heads/*:refs/remotes/origin/*"
            git(self.work, "fetch", "-q", "origin", heads, "+refs/tags/*:refs/tags/*")
            git(self.work, "fetch", "-q", "origin", commit)
        else:
            git(self.work, "fetch", "-q", "--depth=1", self.origin.as_uri(), commit)
        branch = self.event.ref.removeprefix("refs/heads/")
        if "ref" in given or branch == self.event.ref:
            git(self.work, "checkout", "-q", "--detach", commit)
        else:
            git(self.work, "checkout", "-q", "-B", branch, commit)
        assert git(self.work, "rev-parse", "HEAD").stdout.strip() == commit
