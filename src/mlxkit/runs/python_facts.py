"""What only a Python itself can tell of itself: version, platform, where distributions lie.

The program behind the links is started once, without site-packages, variables or the current
folder (`-I -S`): nothing that came with a repository is run. What it says is kept until it changes.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from mlxkit.core.errors import MlxError

TIMEOUT = 30
_VARIABLES = ("HOME", "PYTHONUSERBASE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")

PROBE = """
import sys
prefix = sys.argv[1]
import json, platform, site
def folders(prefixes):
    return [one for one in site.getsitepackages(prefixes) if one]
base = sys.prefix
told = {
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "system": platform.system(),
    "machine": platform.machine(),
    "libc": " ".join(platform.libc_ver()).strip() or None,
    "user": site.getusersitepackages(),
    "base": folders([base, sys.exec_prefix]),
    "prefix": base,
}
if prefix:
    sys.prefix = sys.exec_prefix = prefix
    told["own"] = folders([prefix])
json.dump(told, sys.stdout)
"""


def ask(program: str, prefix: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Start `program` and return what it says; `prefix` is that of the virtual environment, or "".

    Raises MlxError where it does not answer.
    """
    import subprocess

    given = {name: env[name] for name in _VARIABLES if name in env}
    try:
        done = subprocess.run(
            [program, "-I", "-S", "-c", PROBE, prefix],
            cwd="/",
            env=given,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        told = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        told = None
    if not isinstance(told, dict):
        raise MlxError(f"{program} does not work as a Python", hint=f"try: {program} --version")
    return told


def virtual_environment(interpreter: str) -> tuple[str, bool]:
    """Return the prefix of the virtual environment that `interpreter` is in, else "".

    And whether it also sees what is installed in the Python that it was made from.
    """
    folder = os.path.dirname(interpreter)
    for prefix in (folder, os.path.dirname(folder)):
        try:
            with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8") as file:
                lines = [line.partition("=") for line in file]
        except (OSError, UnicodeDecodeError):
            continue
        values = {key.strip().lower(): value.strip().lower() for key, _, value in lines}
        return prefix, values.get("include-system-site-packages") == "true"
    return "", False


def path_of(
    told: Mapping[str, Any], system_too: bool, cwd: str, env: Mapping[str, str]
) -> list[str]:
    """Return the folders, in order, where that Python looks for distributions, before `.pth`."""
    given = [one for one in env.get("PYTHONPATH", "").split(os.pathsep) if one]
    found = [os.path.normpath(os.path.join(cwd, one)) for one in given]
    own = told.get("own")
    found += own or []
    if own is None or system_too:
        if not env.get("PYTHONNOUSERSITE"):
            found.append(told["user"])
        found += told["base"]
    return list(dict.fromkeys(found))
