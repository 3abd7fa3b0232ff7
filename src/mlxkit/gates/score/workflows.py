"""What a repository's workflows run, as far as it tells for a score."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.gates.score.evidence import Workflow

FOLDER = ".github/workflows"
_MLX = re.compile(r"(?:^|[\s;&|(])mlx\s+(?:-C\s+\S+\s+)?([a-z-]+)([^\n;&|>)]*)", re.MULTILINE)
_TESTS = re.compile(
    r"(?:^|[\s;&|(])(?:pytest|tox|nox|make (?:\S+ )*test|hatch test|python -m (?:pytest|unittest))"
    r"(?:[\s;&|)]|$)",
    re.MULTILINE,
)
_WITH_VALUE = ("--rev", "--base", "--reason", "--name")


def read_workflows(files: Mapping[str, bytes]) -> Workflow:
    """Return what workflow files, by their paths, run; one that is no workflow runs nothing."""
    gates: dict[str, str] = {}
    found: dict[str, str] = {}
    for path, data in sorted(files.items()):
        for script in _scripts(path, data):
            if _TESTS.search(script):
                found.setdefault("tests", path)
            for verb, rest in _MLX.findall(script):
                words = _words(rest)
                if verb == "gate":
                    for name in _names(words) or ["*"]:
                        gates.setdefault(name, path)
                elif verb == "repro":
                    found.setdefault("repro", path)
                elif verb in ("exp", "experiments") and words[:1] == ["run"]:
                    found.setdefault("sweeps", path)
                elif verb == "model" and words[:1] in (["fetch"], ["promote"]):
                    found.setdefault("deploys", path)
    return Workflow(gates, **found)


def _scripts(path: str, data: bytes) -> Iterator[str]:
    """Yield what a workflow's steps run, without comments; a disabled step or job runs nothing."""
    try:
        document = yaml.load(data, path)
    except MlxError:
        return
    jobs = document.get("jobs") if isinstance(document, Mapping) else None
    for job in jobs.values() if isinstance(jobs, Mapping) else ():
        if not isinstance(job, Mapping) or _disabled(job):
            continue
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            script = step.get("run") if isinstance(step, Mapping) else None
            if isinstance(script, str) and not _disabled(step):
                yield re.sub(r"(?m)(^|\s)#.*$", "", script)


def _disabled(what: Mapping[str, Any]) -> bool:
    return what.get("if") is False or str(what.get("if")).strip() in ("false", "${{ false }}")


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _names(words: list[str]) -> list[str]:
    """Return the arguments that are names of gates."""
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("-") and before not in _WITH_VALUE
    ]
