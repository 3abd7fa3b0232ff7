"""Which of a repository's folders Python imports from: a copy of it must come before them."""

import os
from collections.abc import Iterable, Mapping

from mlxkit.pipeline.spec import Stage, commands, inside
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


def code_folders(git_root: str, stages: Iterable[Stage]) -> list[str]:
    """Return the folders of the repository on the path of the stages' Pythons, from its top.

    Also those of packages that are installed from where they lie (`pip install -e`).
    """
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
            if inside(real, top) and "site-packages" not in real.split(os.sep):
                found.append(os.path.relpath(real, top))
    return list(dict.fromkeys(found))


def _path_of(program: str, wdir: str, env: Mapping[str, str]) -> list[str]:
    import subprocess

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
