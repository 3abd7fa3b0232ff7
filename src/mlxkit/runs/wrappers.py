"""Programs that start others: `env`, `time`, and those that choose an environment (`uv run`)."""

import os
from collections.abc import Callable, Mapping
from itertools import pairwise

from mlxkit.runs.shell import Call, with_path

PREFIXES = frozenset(
    [
        "builtin",
        "caffeinate",
        "catchsegv",
        "chrt",
        "command",
        "doas",
        "env",
        "exec",
        "ionice",
        "mpiexec",
        "mpirun",
        "nice",
        "nohup",
        "numactl",
        "perf",
        "setsid",
        "srun",
        "stdbuf",
        "strace",
        "sudo",
        "taskset",
        "time",
        "timeout",
        "unbuffer",
        "valgrind",
        "xvfb-run",
    ]
)


def without_prefix(call: Call) -> Call:
    """Return what `env X=1 ...`, `nice -n 5 ...` and their like were given to start."""
    env, words = dict(call.env), call.words[1:]
    while words and words[0].startswith("-"):
        words.pop(0)
    while words and "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        env[name] = value
    return Call(words, call.cwd, env)


def inside(call: Call) -> Call | None:
    """Return what `uv run ...` and its like start, in the environment that they choose.

    None where that environment is not there, or cannot be told.
    """
    name = os.path.basename(call.words[0])
    words = call.words[1:]
    if "run" not in words:
        return None  # `uvx`, `conda init` and the like
    options = words[words.index("run") + 1 :]
    prefix = RUNNERS[name](call, options)
    if prefix is None:
        return None
    folder = os.path.join(prefix, "bin")
    env = with_path(folder, {**call.env, "VIRTUAL_ENV": prefix})
    named = _program(options, folder)
    return Call(named, call.cwd, env)


def _program(words: list[str], folder: str) -> list[str]:
    """Return the words from the program on; of a script, or one unknown, a Python to read it."""
    for index, word in enumerate(words):
        if word == "--":
            continue
        if os.path.basename(word).startswith("python") or os.access(
            os.path.join(folder, word), os.X_OK
        ):
            return words[index:]
    return ["python"]


def _uv(call: Call, _: list[str]) -> str | None:
    chosen = call.env.get("UV_PROJECT_ENVIRONMENT")
    project = _nearest("uv.lock", call.cwd) or _nearest("pyproject.toml", call.cwd)
    if chosen:
        return _there(os.path.join(project or call.cwd, chosen))
    if project is None:
        return _there(call.env.get("VIRTUAL_ENV")) or _in_project(call)
    return _there(os.path.join(project, ".venv"))


def _poetry(call: Call, _: list[str]) -> str | None:
    active = _there(call.env.get("VIRTUAL_ENV"))
    if active is not None:
        return active
    project = _nearest("pyproject.toml", call.cwd)
    if project is None:
        return None
    return _there(os.path.join(project, ".venv")) or _poetrys_own(project, call.env)


def _poetrys_own(project: str, env: Mapping[str, str]) -> str | None:
    """Find the environment that Poetry keeps apart, named by a digest of the project's folder."""
    import base64
    import hashlib

    home = env.get("HOME", "")
    cache = env.get("POETRY_CACHE_DIR") or os.path.join(
        env.get("XDG_CACHE_HOME") or os.path.join(home, ".cache"), "pypoetry"
    )
    folder = env.get("POETRY_VIRTUALENVS_PATH") or os.path.join(cache, "virtualenvs")
    digest = hashlib.sha256(os.path.realpath(project).encode()).digest()
    mark = f"-{base64.urlsafe_b64encode(digest).decode()[:8]}-py"
    found = [name for name in _listed(folder) if mark in name]
    return os.path.join(folder, found[0]) if len(found) == 1 else None


def _in_project(call: Call, _: list[str] | None = None) -> str | None:
    """Take the nearest `.venv`, else the active environment."""
    project = _nearest(".venv", call.cwd)
    if project is not None:
        return _there(os.path.join(project, ".venv"))
    return _there(call.env.get("VIRTUAL_ENV"))


def _conda(call: Call, options: list[str]) -> str | None:
    for flag, value in pairwise(options):
        if flag in ("-p", "--prefix"):
            return _there(os.path.join(call.cwd, value))
        if flag in ("-n", "--name"):
            return _conda_named(value, call.env)
    return _there(call.env.get("CONDA_PREFIX"))


def _conda_named(name: str, env: Mapping[str, str]) -> str | None:
    home = env.get("HOME", "")
    roots = [env.get("MAMBA_ROOT_PREFIX", "")]
    for program in ("CONDA_EXE", "MAMBA_EXE"):
        roots.append(os.path.dirname(os.path.dirname(env.get(program, ""))))
    if name in ("base", "root"):
        return next(filter(None, map(_there, roots)), None)
    folders = env.get("CONDA_ENVS_DIRS", env.get("CONDA_ENVS_PATH", "")).split(os.pathsep)
    folders += [os.path.join(root, "envs") for root in roots if root]
    known = [os.path.join(folder, name) for folder in folders if folder]
    known.append(os.path.join(home, ".conda", "envs", name))
    try:
        with open(os.path.join(home, ".conda", "environments.txt"), encoding="utf-8") as file:
            known += [one.strip() for one in file if os.path.basename(one.strip()) == name]
    except (OSError, UnicodeDecodeError):
        pass
    return next(filter(None, map(_there, known)), None)


def _pixi(call: Call, options: list[str]) -> str | None:
    project = _nearest(".pixi", call.cwd)
    name = next(
        (value for flag, value in pairwise(options) if flag in ("-e", "--environment")),
        "default",
    )
    return _there(os.path.join(project, ".pixi", "envs", name)) if project is not None else None


RUNNERS: dict[str, Callable[[Call, list[str]], str | None]] = {
    "uv": _uv,
    "poetry": _poetry,
    "pipenv": _in_project,
    "pdm": _in_project,
    "conda": _conda,
    "mamba": _conda,
    "micromamba": _conda,
    "pixi": _pixi,
}


def nearest_line(name: str, start: str) -> str | None:
    """Return the first line of the nearest file of that name, here or in a folder above."""
    folder = _nearest(name, start)
    return first_line(os.path.join(folder, name)) if folder is not None else None


def first_line(path: str) -> str | None:
    """Return the first line of a file, None where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _nearest(name: str, start: str) -> str | None:
    folder = os.path.abspath(start)
    while not os.path.exists(os.path.join(folder, name)):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def _there(prefix: str | None) -> str | None:
    return prefix if prefix and os.path.isdir(os.path.join(prefix, "bin")) else None


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
