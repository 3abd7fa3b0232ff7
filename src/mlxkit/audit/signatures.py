"""What Git says of the signatures on commits."""

from collections.abc import Sequence
from enum import StrEnum

from mlxkit.tools import git


class Signature(StrEnum):
    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"
    """It may be right: the key is not known here, or not said to be trusted."""
    EXPIRED = "expired"
    REVOKED = "revoked"


# Git's own letters; N beside a signature: the program that checks it is missing.
_LETTERS = {
    "G": Signature.GOOD,
    "U": Signature.UNKNOWN,
    "E": Signature.UNKNOWN,
    "N": Signature.UNKNOWN,
    "X": Signature.GOOD,  # a good one that has expired since
    "Y": Signature.EXPIRED,
    "R": Signature.REVOKED,
    "B": Signature.BAD,
}


def check_signatures(git_root: str, commits: Sequence[str]) -> dict[str, Signature]:
    """Return what Git says of each of these signed commits; raises MlxError."""
    letters = _asked(git_root, commits, "%G?")
    return {one: _LETTERS.get(letters.get(one, "N"), Signature.UNKNOWN) for one in commits}


def signers(git_root: str, commits: Sequence[str]) -> dict[str, str]:
    """Return whom Git names as the signers of commits; raises MlxError."""
    return _asked(git_root, commits, "%GS")


def _asked(git_root: str, commits: Sequence[str], what: str) -> dict[str, str]:
    if not commits:
        return {}
    # Without a list of known keys Git would not look at a signature by SSH; with an empty one it
    # tells whether the signature fits the commit.
    listed = git.run(git_root, "config", "gpg.ssh.allowedSignersFile", ok=(0, 1)).strip()
    settings = () if listed else ("gpg.ssh.allowedSignersFile=/dev/null",)
    given = "".join(f"{one}\n" for one in commits).encode("ascii")
    said = git.run(
        git_root,
        "log",
        "--no-walk=unsorted",
        "--stdin",
        "--no-show-signature",
        f"--format=%H {what}",
        stdin=given,
        env={"GIT_NO_REPLACE_OBJECTS": "1"},
        settings=settings,
    )
    lines = (line.partition(" ") for line in said.decode("utf-8", "replace").splitlines())
    return {commit: told for commit, _, told in lines}
