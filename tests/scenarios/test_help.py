"""Help that says what there is, where it comes from, and what to type."""

from pathlib import Path

import pytest
from tests.support.tools import Tools

OWN = [
    "init",
    "repro",
    "add",
    "commit",
    "checkout",
    "push",
    "fetch",
    "pull",
    "status",
    "diff",
    "why",
    "dag",
    "logs",
    "metrics",
    "params",
    "plots",
    "exp",
    "experiments",
    "leaderboard",
    "cost",
    "env",
    "gate",
    "report",
    "model",
    "ci",
    "approve",
    "score",
    "lineage",
    "log",
    "verify",
    "trace",
    "lint",
    "gc",
    "fsck",
    "audit",
    "attest",
    "pin",
    "merge-driver",
    "doctor",
]


def test_all_verbs_by_where_they_come_from(tools: Tools, tmp_path: object) -> None:
    text = tools.mlx("/", "--help").ok().stdout
    sections = {part.split(":\n")[0]: part for part in text.split("\n\n")}
    own = [line.split()[0] for line in sections["Commands"].splitlines()[1:]]
    assert own == OWN
    handed = [line.split()[0] for line in sections["From DVC"].splitlines()[1:]]
    assert {"queue", "stage", "remote", "import", "ls", "du"} <= set(handed)
    assert not set(own) & set(handed)
    assert "0 ok" in text and "130 interrupted" in " ".join(text.split())


@pytest.mark.parametrize(
    "verb",
    [*OWN, *(f"{one} show" for one in ("metrics", "params", "plots", "env")), "env diff"],
)
def test_each_has_an_example(verb: str, tools: Tools) -> None:
    text = tools.mlx("/", *verb.split(), "--help").ok().stdout
    if verb not in ("metrics", "params", "env"):
        assert "Example: " in text and f"mlx {verb}" in text
    else:
        assert "show" in text and "diff" in text


def test_without_arguments_the_help(tools: Tools) -> None:
    result = tools.mlx("/")
    assert result.code == 2
    assert "From DVC:" in result.stdout
    assert result.stderr == ""


def test_the_version(tools: Tools) -> None:
    from mlxkit import __version__

    assert tools.mlx("/", "--version").ok().stdout == f"mlx {__version__}\n"
    assert tools.mlx("/", "-C", "/", "--version").ok().stdout == f"mlx {__version__}\n"


@pytest.mark.parametrize("verb", ["repro", "remove"])
def test_the_short_word_for_help(verb: str, tools: Tools) -> None:
    assert f"{verb} [" in tools.mlx("/", verb, "-h").ok().stdout


def test_help_of_a_verb_from_dvc_is_dvcs(tools: Tools) -> None:
    assert "usage: dvc remove" in tools.mlx("/", "remove", "--help").ok().stdout


def test_a_misspelt_verb_names_the_nearest(tools: Tools) -> None:
    result = tools.mlx("/", "stauts")
    assert result.code == 2
    assert result.stderr == ("error: there is no command 'stauts'\nhint: did you mean 'status'?\n")


@pytest.mark.parametrize(
    ("wrong", "verb"),
    [
        (["push", "--only-records", "--no-records"], "push"),
        (["gate", "--report"], "gate"),
        (["model", "promote"], "model promote"),
    ],
)
def test_wrong_arguments_lead_to_the_help_of_their_verb(
    wrong: list[str], verb: str, tools: Tools, tmp_path: Path
) -> None:
    done = tools.mlx(tmp_path, *wrong)
    assert done.code == 2 and done.stderr.endswith(f"hint: see: mlx {verb} --help\n"), str(done)
