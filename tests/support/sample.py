"""A project with every kind of target: stages, groups, tracked data, three folders."""

from pathlib import Path
from typing import Any

from .project import Project
from .tools import Tools

ROOT: dict[str, Any] = {
    "prep": {"cmd": "cat in > prep.out", "deps": ["in"], "outs": ["prep.out"]},
    "train": {
        "cmd": "cat prep.out params.yaml > model",
        "deps": ["prep.out"],
        "params": ["lr"],
        "outs": ["model"],
    },
    "eval": {
        "cmd": """printf '{"size": %d, "deep": {"n": 5}}' "$(wc -c < model)" > metrics.json""",
        "deps": ["model"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
    "group": {
        "foreach": ["a", "b"],
        "do": {
            "cmd": "mkdir -p g_${item}/n && cat in > g_${item}/x && echo ${item} > g_${item}/n/y",
            "deps": ["in"],
            "outs": ["g_${item}"],
        },
    },
    "tail": {
        "cmd": "cat g_a/x g_b/n/y > tail.out",
        "deps": ["g_a", "g_b/n/y"],
        "outs": ["tail.out"],
    },
    "lonely": {"cmd": "cat other > lonely.out", "deps": ["other"], "outs": ["lonely.out"]},
    "fromdata": {"cmd": "cat data.csv > fd.out", "deps": ["data.csv"], "outs": ["fd.out"]},
}
SUB: dict[str, Any] = {
    "use": {"cmd": "cat ../prep.out > use.out", "deps": ["../prep.out"], "outs": ["use.out"]},
    "own": {"cmd": "cat own.in > own.out", "deps": ["own.in"], "outs": ["own.out"]},
}
DEEP: dict[str, Any] = {
    "deep": {
        "cmd": "cat use.out > deep/deep.out",
        "wdir": "..",
        "deps": ["use.out"],
        "outs": ["deep/deep.out"],
    },
}


def write_sample(project: Project) -> None:
    """Write the sources and the pipelines, and track `data.csv`."""
    project.pipeline(ROOT)
    project.pipeline(SUB, "sub/dvc.yaml")
    project.pipeline(DEEP, "sub/deep/dvc.yaml")
    project.write("params.yaml", "lr: 0.1\nrate: 2\n")
    for path in ("in", "other", "sub/own.in", "data.csv"):
        project.write(path, f"{path}\n")
    project.dvc("add", "data.csv").ok()


def ready_sample(template: Path, folder: Path, tools: Tools) -> Project:
    """The sample after one full run by dvc, committed and pushed to a remote beside it."""
    project = Project.copy(template, folder / "ready", tools)
    write_sample(project)
    project.dvc("remote", "add", "-q", "-d", "storage", "../../remote").ok()
    project.dvc("repro", "-P").ok()
    project.dvc("push", "--run-cache").ok()
    tools.commit(project.root, "a full run")
    return project
