"""What a repository's workflows run, as far as it tells for a score."""

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from mlxkit.core import yaml
from mlxkit.core.errors import MlxError
from mlxkit.gates.score.evidence import Workflow
from mlxkit.gates.score.projects import ALONE, Projects

FOLDER = ".github/workflows"
_START = (
    r"(?:^|[;&|(]|\b(?:then|do|else|if|while)\s|!\s)[ \t]*(?:\w+=\S*[ \t]+)*"
    r"(?:(?:exec|time|(?:uv|poetry|pipenv|hatch|pixi) run)[ \t]+)*"
)
"""Where a command begins: what is an argument of another, such as `echo`, is not run."""
_COMMAND = re.compile(
    _START + r"(?:cd\s+(?P<cd>[^\s;&|)]+)|"
    r"(?:mlx|python3? -m mlxkit)(?:\s+-C\s+(?P<at>\S+))?\s+(?P<verb>[a-z-]+)(?P<rest>[^\n;&|>)]*)|"
    r"(?:pytest|tox|nox|make (?:[^\s;&|]+ )*test|hatch test|"
    r"(?:python3?|coverage run) -m (?:pytest|unittest))(?=[\s;&|)]|$))",
    re.MULTILINE,
)
_WHERE = "working-directory"
_BY_HAND = "workflow_dispatch"
_WITH_VALUE = ("--rev", "--base", "--reason", "--name", "--report")


def read_workflows(files: Mapping[str, bytes], known: Projects = ALONE) -> Workflow:
    """Return what workflow files, by their paths, run for a project by themselves, time and again.

    One that is no workflow, or that somebody must start, runs nothing.
    """
    gates: dict[str, str] = {}
    found: dict[str, str] = {}
    for path, data in sorted(files.items()):
        for verb, words in _commands(path, data, known):
            if verb == "tests":
                found.setdefault("tests", path)
            elif verb == "gate":
                for name in _names(words) or ["*"]:
                    gates.setdefault(name, path)
            elif verb == "repro":
                found.setdefault("repro", path)
            elif verb in ("exp", "experiments") and words[:1] == ["run"]:
                found.setdefault("sweeps", path)
            elif verb == "model" and words[:1] in (["fetch"], ["promote"]):
                found.setdefault("deploys", path)
    return Workflow(gates, **found)


def _commands(path: str, data: bytes, known: Projects) -> Iterator[tuple[str, list[str]]]:
    """Yield mlx's commands with their arguments, and `tests`, that are run for the project.

    Those of mlx are run in it, tests also above it.
    """
    for start, script in _scripts(path, data):
        folder = start
        for one in _COMMAND.finditer(script):
            place = _inner(folder, one["cd"] or one["at"] or ".")
            if one["cd"]:
                folder = place
            elif place is None:
                continue
            elif one["verb"] and known.has(place):
                yield one["verb"], _words(one["rest"])
            elif not one["verb"] and (known.has(place) or known.lies_in(place)):
                yield "tests", []


def _inner(folder: str | None, path: str) -> str | None:
    """Return a folder as seen from another; None where nobody can tell, or it is elsewhere."""
    path = path.strip("\"'")
    if folder is None or "$" in path or posixpath.isabs(path):
        return None
    found = posixpath.normpath(posixpath.join(folder, path))
    return None if found.startswith("..") else "" if found == "." else found


def _scripts(path: str, data: bytes) -> Iterator[tuple[str | None, str]]:
    """Yield what a workflow's steps run, and where, without comments.

    A disabled step or job runs nothing.
    """
    try:
        document = yaml.load(data, path)
    except MlxError:
        return
    if not isinstance(document, Mapping) or not _runs_by_itself(document.get("on")):
        return
    jobs = document.get("jobs")
    for job in jobs.values() if isinstance(jobs, Mapping) else ():
        if not isinstance(job, Mapping) or _disabled(job):
            continue
        steps = job.get("steps")
        for step in steps if isinstance(steps, list) else ():
            script = step.get("run") if isinstance(step, Mapping) else None
            if isinstance(script, str) and not _disabled(step):
                place = step.get(_WHERE) or _default(job) or _default(document) or "."
                text = re.sub(r"(?m)(^|\s)#.*$", "", script).replace("\\\n", " ")
                yield _inner("", str(place)), text


def _runs_by_itself(events: Any) -> bool:
    names = [events] if isinstance(events, str) else events
    return isinstance(names, (list, Mapping)) and any(one != _BY_HAND for one in names)


def _default(what: Mapping[str, Any]) -> Any:
    """Return the folder that a job, or a workflow, runs its steps in."""
    defaults = what.get("defaults")
    run = defaults.get("run") if isinstance(defaults, Mapping) else None
    return run.get(_WHERE) if isinstance(run, Mapping) else None


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
