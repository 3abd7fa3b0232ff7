"""What a rebuild's stages find around them: their own code instead of the user's, and a mark."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from mlxkit.pipeline.spec import Stage, commands, inside
from mlxkit.proof.place import MARK, Place
from mlxkit.runs.interpreter import find_interpreter

# Also of packages that are installed from where they lie by an import hook.
_ASK = """
import os, sys
found = list(sys.path)
for hook in sys.meta_path:
    mapped = getattr(sys.modules.get(getattr(hook, "__module__", "")), "MAPPING", None)
    if isinstance(mapped, dict):
        found += [os.path.dirname(path) for path in mapped.values()]
sys.stdout.write("\\0".join(path for path in found if path))
"""


@contextmanager
def surroundings(git_root: str, place: Place, stages: Iterable[Stage]) -> Iterator[None]:
    """Let the stages run as in the repository, but with the worktree's own code.

    A package that is installed from the repository's folder (`pip install -e`) would be imported
    from there: the worktree's folders come first on the path. Virtual environments in the
    repository are linked into the worktree.
    """
    _link_environments(git_root, place.tree)
    before = dict(os.environ)
    folders = _code_folders(git_root, place.tree, stages)
    given = [one for one in (os.environ.get("PYTHONPATH"),) if one]
    if folders:
        os.environ["PYTHONPATH"] = os.pathsep.join([*folders, *given])
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # bytecode in a folder would be a changed input
    os.environ["UV_NO_SYNC"] = "1"  # uv would install the worktree into the user's environment
    os.environ[MARK] = place.id
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _code_folders(git_root: str, tree: str, stages: Iterable[Stage]) -> list[str]:
    """Return the worktree's folders that stand for those of the repository on Python's path."""
    programs = {
        program: stage.wdir
        for stage in stages
        if (program := find_interpreter(commands(stage), stage.wdir, os.environ))
    }
    found = []
    top = os.path.realpath(git_root)
    for program, wdir in programs.items():
        for path in _path_of(program, wdir, os.environ):
            real = os.path.realpath(path)
            if not inside(real, top) or "site-packages" in real.split(os.sep):
                continue
            ours = os.path.normpath(os.path.join(tree, os.path.relpath(real, top)))
            if os.path.isdir(ours):
                found.append(ours)
    return list(dict.fromkeys(found))


def _path_of(program: str, wdir: str, env: Mapping[str, str]) -> list[str]:
    try:
        done = subprocess.run(
            [program, "-c", _ASK],
            cwd=wdir,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return []  # the command will say what is wrong with it
    told = os.fsdecode(done.stdout) if done.returncode == 0 else ""
    return [one for one in told.split("\0") if os.path.isabs(one)]


def _link_environments(git_root: str, tree: str) -> None:
    """Link virtual environments, which no commit has, for commands that name them."""
    for name in os.listdir(git_root):
        source, target = os.path.join(git_root, name), os.path.join(tree, name)
        if os.path.isfile(os.path.join(source, "pyvenv.cfg")) and not os.path.lexists(target):
            os.symlink(source, target)
