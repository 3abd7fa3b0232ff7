"""A process that has imported libraries once and forks for each command line it is sent.

Started by `tests.support.warm.Warm`. Every command runs in a fresh process, as `python -m dvc` or
`python -m mlxkit` would, without half a second of imports each time. Of mlx itself nothing is
imported before: what a command needs it must import. One JSON request a line on stdin, one JSON
answer a line on stdout.
"""

import gc
import importlib
import json
import os
import sys
from typing import Any

PRELOAD = (
    "dvc.cli.parser",
    "dvc.repo",
    "dvc.repo.reproduce",
    "dvc.repo.status",
    "dvc.repo.graph",
    "dvc.repo.trie",
    "dvc.repo.add",
    "dvc.repo.metrics.show",
    "dvc.dvcfile",
    "dvc.stage.cache",
    "dvc.stage.serialize",
    "dvc.stage.imports",
    "dvc.dependency",
    "dvc.parsing",
    "dvc.render.convert",
    "dvc.utils.serialize",
    "dvc.cachemgr",
    "dvc.data_cloud",
    "dvc_data.hashfile.build",
    "dvc_data.hashfile.checkout",
    "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.transfer",
    "dvc_data.index",
    "dvc_data.index.checkout",
    "scmrepo.git",
    "networkx",
    "ruamel.yaml",
    "psutil",
    "rich.console",
    "typer.main",
    "yaml",
)


def main() -> None:
    # The protocol keeps its own descriptors, so that no command can write into it.
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    for name in PRELOAD:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while line := requests.readline():
        code = _serve(json.loads(line))
        answers.write(json.dumps({"code": code}) + "\n")
        answers.flush()


def _serve(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        # It ends as any program does, with all that is to be done at exit.
        sys.exit(_command(request))
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _command(request: dict[str, Any]) -> int:
    for fd, key in ((1, "stdout"), (2, "stderr")):
        target = os.open(request[key], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(target, fd)
        os.close(target)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    sys.path[0] = request["cwd"]  # as with `python -m`
    sys.argv = [request["program"], *request["argv"]]
    return _main(request["program"])


def _main(program: str) -> int:
    if program == "dvc":
        from dvc.cli import main as dvc_main

        return int(dvc_main(sys.argv[1:]) or 0)
    from mlxkit.__main__ import main as mlx_main

    return mlx_main()


if __name__ == "__main__":
    main()
