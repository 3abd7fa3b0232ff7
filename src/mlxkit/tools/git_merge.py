"""Git's merges: its own of three files by lines, and whom it asks for ours."""

import os
import subprocess
from typing import Final

from mlxkit.core.errors import MlxError
from mlxkit.core.files import write_atomic
from mlxkit.tools import git

NAME: Final = "mlx"
PATTERNS: Final = {"dvc.lock": "dvc.lock", "*.dvc": "data.dvc"}
"""What `.gitattributes` names, each with a file that it matches."""

# A version of Git that knows no %X (before 2.44) hands it over as it is.
_CALL: Final = "--path=%P --marker-size=%L --ours=%X --theirs=%Y %O %A %B"
SETTINGS: Final = {
    f"merge.{NAME}.name": "mlx: dvc.lock and .dvc files",
    f"merge.{NAME}.driver": f"mlx merge-driver {_CALL}",
    # Where two branches were merged with each other before, Git first merges their ancestors.
    f"merge.{NAME}.recursive": f"{NAME}-base",
    f"merge.{NAME}-base.name": "mlx: ancestors of dvc.lock and .dvc files",
    f"merge.{NAME}-base.driver": f"mlx merge-driver --quiet {_CALL}",
}


def merge_file(
    base: str, ours: str, theirs: str, labels: tuple[str, str], size: int
) -> tuple[bytes, bool]:
    """Return Git's merge of three files by lines, and whether it has no conflicts.

    Raises MlxError where Git cannot merge them, as binary ones.
    """
    mine, other = labels
    named = ["-L", mine, "-L", "base", "-L", other]
    command = ["git", "merge-file", "-p", f"--marker-size={size}", *named, ours, base, theirs]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except FileNotFoundError:
        raise MlxError("git is not installed", hint="install Git and try again") from None
    if not 0 <= done.returncode < 128:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise MlxError(f"git merge-file failed: {said[-1] if said else done.returncode}")
    return done.stdout, done.returncode == 0


def versions(root: str, path: str) -> tuple[bytes, bytes, bytes] | None:
    """Return base, ours and theirs of a file in conflict (base may be empty), None if it is not."""
    name = os.path.relpath(path, root).replace(os.sep, "/")
    listed = git.run(root, "ls-files", "-z", "--unmerged", "--", f":(top,literal){name}")
    ids = {}
    for line in listed.split(b"\0"):
        if line:
            _, one, stage = line.partition(b"\t")[0].split()
            ids[int(stage)] = one.decode("ascii")
    if 2 not in ids or 3 not in ids:
        return None
    found = git.read_objects(root, ids.values())
    return found[ids[1]] if 1 in ids else b"", found[ids[2]], found[ids[3]]


def is_configured(root: str) -> bool:
    """Tell whether this clone knows the driver, whoever's settings say so."""
    return bool(git.run(root, "config", "--get", f"merge.{NAME}.driver", ok=(0, 1)).strip())


def configure(root: str) -> None:
    """Tell this clone of the driver."""
    for key, value in SETTINGS.items():
        git.run(root, "config", "--local", key, value)


def unconfigure(root: str) -> None:
    """Let this clone forget the driver."""
    for section in (f"merge.{NAME}", f"merge.{NAME}-base"):
        known = git.run(root, "config", "--local", "--get-regexp", f"^{section}\\.", ok=(0, 1))
        if known:
            git.run(root, "config", "--local", "--remove-section", section)


def chosen(folder: str) -> dict[str, str]:
    """Return which driver attributes choose for each of the patterns, in `folder`."""
    listed = git.run(folder, "check-attr", "-z", "merge", "--", *PATTERNS.values())
    values = listed.split(b"\0")[2::3]
    return {
        pattern: value.decode(errors="replace")
        for pattern, value in zip(PATTERNS, values, strict=True)
    }


def add_attributes(folder: str) -> bool:
    """Name the driver in the folder's `.gitattributes` where nothing is said of those files.

    Returns whether that changed the file; raises OSError.
    """
    lines = [
        f"{pattern} merge={NAME}\n"
        for pattern, value in chosen(folder).items()
        if value == "unspecified"
    ]
    path = os.path.join(folder, ".gitattributes")
    text = _read(path)
    if lines:
        gap = b"" if not text or text.endswith(b"\n") else b"\n"
        write_atomic(path, text + gap + "".join(lines).encode())
    return bool(lines)


def remove_attributes(folder: str) -> bool:
    """Take the lines of `add_attributes` out again; a file that has no others goes, too."""
    path = os.path.join(folder, ".gitattributes")
    text = _read(path)
    ours = {f"{pattern} merge={NAME}".encode() for pattern in PATTERNS}
    rest = b"".join(line for line in text.splitlines(keepends=True) if line.strip() not in ours)
    if rest == text:
        return False
    if rest:
        write_atomic(path, rest)
    else:
        os.unlink(path)
    return True


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return b""
