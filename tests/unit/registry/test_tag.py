"""Tags as objects of Git's, made beside the repository and written into it."""

from pathlib import Path

import pytest

from mlxkit.core.errors import MlxError
from mlxkit.registry.tag import make
from mlxkit.tools import git


@pytest.fixture
def commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "Ann")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "ann@example.org")
    git.run(str(tmp_path), "init", "-q", "--shared=group")
    git.run(str(tmp_path), "commit", "-q", "--allow-empty", "-m", "first")
    return git.run(str(tmp_path), "rev-parse", "HEAD").decode().strip()


def test_others_of_a_shared_repository_can_write_beside_it(commit: str, tmp_path: Path) -> None:
    made = {make(str(tmp_path), f"m@v{one}.0.0", commit, "it", None).id for one in range(3)}
    assert len(made) == 3
    for name in made:
        mode = (tmp_path / ".git/objects" / name[:2]).stat().st_mode
        assert mode & 0o020, "the group may write there, as Git has it"
    assert git.run(str(tmp_path), "tag", "--list") == b"", "no ref names them yet"


@pytest.mark.parametrize("yes", ["true", "True", "ON"])
def test_what_shall_be_signed_is_never_written_unsigned(
    yes: str, commit: str, tmp_path: Path
) -> None:
    for name, value in (("tag.gpgSign", yes), ("gpg.format", "ssh"), ("user.signingKey", "none")):
        git.run(str(tmp_path), "config", name, value)
    with pytest.raises(MlxError, match="could not be signed"):
        make(str(tmp_path), "m@v1.0.0", commit, "it", None)
