"""Experiments as a user looks at them, takes one over, and shares them."""

import os
import re
from pathlib import Path

import pytest
from tests.support.experiments import write_experiment
from tests.support.project import Project
from tests.support.pseudo import answered


@pytest.fixture
def compared(trained: Project) -> Project:
    """Three experiments of the trained pipeline; no data differs."""
    for number, (name, acc, rate) in enumerate((
        ("lime-otter", 0.9, 0.2), ("brave-heron", 0.8, 0.3), ("calm-fox", 0.7, 0.4),
    )):  # fmt: skip
        files = {
            "params.yaml": f"train:\n  lr: {rate}\nseed: 7\n",
            "metrics.json": f'{{"accuracy": {acc}, "n": 2}}',
        }
        second = 1_800_000_000 + number
        write_experiment(trained.root, name, files, second=second, env=trained.tools.env)
    return trained


def _names(text: str) -> list[str]:
    return re.findall(r"^  (\S+)", text, re.MULTILINE)


def test_look_choose_and_take_over(compared: Project) -> None:
    shown = compared.mlx("exp", "show", "--sort-by", "accuracy").ok()
    assert _names(shown.stdout) == ["lime-otter", "brave-heron", "calm-fox"]
    assert "0.90*" in shown.stdout and "best" in shown.stderr
    some = compared.mlx("exp", "show", "--filter", "accuracy >= .8 and train.lr > .2").ok()
    assert _names(some.stdout) == ["brave-heron"]
    document = compared.mlx("exp", "show", "--json", "--filter", "lr > 0.2").ok().json
    assert [one["name"] for one in document[1]["experiments"]] == ["calm-fox", "brave-heron"]
    changes = compared.mlx("exp", "diff", "lime-otter", "calm-fox", "--json").ok().json
    assert changes["metrics"]["metrics.json"]["accuracy"]["better"] is False
    assert changes["params"]["params.yaml"]["train.lr"]["diff"] == pytest.approx(0.2)
    compared.mlx("exp", "apply", "brave-heron").ok()
    assert compared.read("params.yaml") == "train:\n  lr: 0.3\nseed: 7\n"
    assert compared.git("status", "--porcelain").stdout == " M metrics.json\n M params.yaml\n"
    compared.mlx("exp", "branch", "lime-otter", "better").ok()
    compared.mlx("exp", "rename", "calm-fox", "worst").ok()
    compared.mlx("exp", "remove", "worst").ok()
    left = compared.mlx("experiments", "ls", "--name-only").ok().stdout
    assert left.split() == ["brave-heron", "lime-otter"]


def test_what_a_user_changed_is_not_lost(compared: Project) -> None:
    compared.write("params.yaml", "train:\n  lr: 5\nseed: 1\n")
    compared.write("notes.txt", "mine\n")
    result = compared.mlx("exp", "apply", "lime-otter")
    assert result.code == 1 and "params.yaml" in result.stderr and "--force" in result.stderr
    assert compared.read("params.yaml") == "train:\n  lr: 5\nseed: 1\n"
    told = compared.mlx("exp", "apply", "lime-otter", "--force", "--json").ok().json
    assert compared.read("params.yaml") == "train:\n  lr: 0.2\nseed: 7\n"
    assert compared.read("notes.txt") == "mine\n"
    kept = compared.git("show", f"{told['kept']}:params.yaml").stdout
    assert kept == "train:\n  lr: 5\nseed: 1\n"


def test_changed_data_is_not_lost_either(compared: Project) -> None:
    os.unlink(compared.root / "model")
    compared.write("model", "mine, and nowhere else\n")
    result = compared.mlx("exp", "apply", "lime-otter")
    assert result.code == 1 and "model" in result.stderr
    assert compared.read("model") == "mine, and nowhere else\n"
    assert compared.git("status", "--porcelain").stdout == ""


def test_an_experiment_whose_data_are_gone(compared: Project, tmp_path: Path) -> None:
    lock = compared.read("dvc.lock")
    entry = compared.lock()["train"]["outs"][0]["md5"]
    gone = {"dvc.lock": lock.replace(entry, "dead" + entry[4:])}
    write_experiment(compared.root, "gone", gone, env=compared.tools.env)
    result = compared.mlx("exp", "apply", "gone")
    assert result.code == 1 and "cache lacks" in result.stderr and "model" in result.stderr
    assert compared.git("status", "--porcelain").stdout == ""
    compared.dvc("remote", "add", "-d", "store", str(tmp_path / "store")).ok()
    compared.git("init", "-q", "--bare", str(tmp_path / "hub"))
    compared.git("remote", "add", "origin", str(tmp_path / "hub"))
    result = compared.mlx("exp", "push", "origin")
    assert result.code != 0 and "gone" in result.stderr and "--no-cache" in result.stderr
    there = compared.mlx("exp", "list", "origin", "--name-only").ok().stdout.split()
    assert there == ["brave-heron", "calm-fox", "lime-otter"]
    compared.mlx("exp", "push", "origin", "gone", "--no-cache").ok()
    compared.tools.commit(compared.root, "a remote")
    compared.git("push", "-q", "origin", "main")
    compared.git("clone", "-q", "-b", "main", str(tmp_path / "hub"), str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone", compared.tools)
    result = clone.mlx("exp", "pull", "origin", "-A")
    assert result.code == 6 and "gone" in result.stderr and "model" in result.stderr
    assert len(clone.mlx("exp", "list", "-A", "--name-only").ok().stdout.split()) == 3
    assert "incoming" not in clone.git("for-each-ref").stdout
    clone.mlx("exp", "pull", "origin", "gone", "--no-cache").ok()
    clone.mlx("exp", "apply", "lime-otter").ok()
    assert "lr: 0.1" in clone.read("model")  # its data is that of the baseline


def test_others_of_the_same_name(compared: Project, tmp_path: Path) -> None:
    compared.git("init", "-q", "--bare", str(tmp_path / "hub"))
    compared.git("remote", "add", "origin", str(tmp_path / "hub"))
    compared.mlx("exp", "push", "origin", "--no-cache").ok()
    write_experiment(compared.root, "lime-otter", {"x": "another"}, env=compared.tools.env)
    ours = compared.git("for-each-ref", "refs/exps").stdout
    for verb in ("push", "pull"):
        result = compared.mlx("exp", verb, "origin", "--no-cache", "--json")
        assert result.code == 1 and result.json["diverged"] == ["lime-otter"]
        assert len(result.json["up_to_date"]) == 2
    assert compared.git("for-each-ref", "refs/exps").stdout == ours
    compared.mlx("exp", "pull", "origin", "--no-cache", "--force", "lime-otter").ok()
    assert compared.git("for-each-ref", "refs/exps").stdout != ours
    compared.mlx("exp", "rename", "-g", "origin", "lime-otter", "lemon").ok()
    compared.mlx("exp", "remove", "-g", "origin", "calm-fox").ok()
    there = compared.mlx("exp", "list", "origin", "--name-only").ok().stdout.split()
    assert there == ["brave-heron", "lemon"]
    assert compared.mlx("exp", "list", "origin", "-A", "--json").ok().json[0]["of"] == "main"


@pytest.mark.parametrize(("words", "code", "said"), [
    (["show", "--filter", "acuracy > 1"], 2, "did you mean accuracy"),
    (["show", "--filter", "open('x')"], 2, "does not know"),
    (["show", "--sort-by", "nothing"], 2, "nothing"),
    (["show", "--drop", "("], 2, "--drop"),
    (["show", "--rev", "nothing"], 2, "nothing"),
    (["show", "--md", "--csv"], 2, "exclude"),
    (["apply", "lime-oter"], 2, "did you mean 'lime-otter'"),
    (["apply"], 2, "EXPERIMENT"),
    (["branch", "lime-otter", "a..b"], 2, "cannot name a branch"),
    (["branch", "lime-otter", "main"], 2, "there is one"),
    (["rename", "lime-otter", "calm-fox"], 1, "another experiment"),
    (["rename", "lime-otter", "a/b"], 2, "cannot name"),
    (["remove"], 2, "--all-commits"),
    (["remove", "lime-otter", "-A"], 2, "--all-commits"),
    (["remove", "lime-otter", "nothing"], 2, "nothing"),
    (["push", "nowhere"], 2, "no Git remote 'nowhere'"),
    (["push", "--upload-pack=x", "lime-otter"], 2, "upload-pack"),
    (["pull", "/nowhere/hub"], 6, "/nowhere/hub"),
    (["diff", "lime-otter", "nothing"], 2, "nothing"),
    (["shwo"], 2, "did you mean 'mlx exp show'"),
])  # fmt: skip
def test_bad_input(words: list[str], code: int, said: str, compared: Project) -> None:
    before = compared.git("for-each-ref").stdout
    result = compared.mlx("exp", *words)
    assert result.code == code and said in result.stderr, str(result)
    assert "Traceback" not in result.stderr
    assert compared.git("for-each-ref").stdout == before


def test_before_the_first_commit_and_without_experiments(repository: Project) -> None:
    repository.dvc("init", "-q").ok()
    assert repository.mlx("exp", "show", "--json").ok().json == []
    repository.mlx("exp", "show").ok()
    assert repository.mlx("exp", "list").ok().stdout == ""
    repository.tools.commit(repository.root, "first")
    assert "main" in repository.mlx("exp", "show").ok().stdout
    assert "nothing to remove" in repository.mlx("exp", "remove", "-A").ok().stdout


def test_names_and_values_that_would_act_on_a_terminal(trained: Project) -> None:
    files = {"metrics.json": '{"accuracy": "\\u001b[2J[red]", "\\u001b[31mn": 1}'}
    name = "{bold}$(id)\u202e"
    commit = write_experiment(trained.root, name, files, env=trained.tools.env)
    for words in ("show", "show --md", "show --all", "list", f"diff HEAD {commit}"):
        shown = trained.mlx("exp", *words.split()).ok()
        assert "\x1b" not in shown.stdout and "\u202e" not in shown.stdout, words
        assert "{bold}$(id)" in shown.stdout or words.startswith("diff")
    # Whoever can push can also make references to what is no commit.
    head = trained.git("rev-parse", "HEAD").stdout.strip()
    for what in ("HEAD^{tree}", "HEAD:dvc.yaml"):
        ref = f"refs/exps/{head[:2]}/{head[2:]}/{'tree' if 'tree' in what else 'blob'}"
        trained.git("update-ref", ref, what)
    assert "{bold}$(id)" in trained.mlx("exp", "show").ok().stdout


def test_through_a_pipe_as_on_a_wide_terminal(compared: Project) -> None:
    piped = compared.mlx("exp", "show").ok().stdout
    seen = answered(compared, "", "exp", "show", "-q", columns=120)
    assert piped.splitlines() == seen.splitlines()
    assert "seed" not in piped
    assert "seed" in compared.mlx("exp", "show", "--all").ok().stdout
    compact = compared.mlx("exp", "show", "--json").ok()
    assert compact.stdout.count("\n") == 1
    listed = compared.mlx("exp", "list").ok().stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["main", "brave-heron", "calm-fox", "lime-otter"]
    assert len({len(line) for line in listed[1:]}) == 1


def test_a_metric_of_several_files(compared: Project) -> None:
    files = {f"m/{name}/test.json": '{"auc": 0.5}' for name in ("tree", "base")}
    for path, text in files.items():
        compared.write(path, text)
    compared.write("m/dvc.yaml", "metrics: [tree/test.json, base/test.json]\n")
    result = compared.mlx("exp", "show", "--sort-by", "auc")
    assert (
        result.code == 2 and "\n  m/base/test.json:auc\n  m/tree/test.json:auc\n" in result.stderr
    )
    assert "base/test.json:auc" in result.stderr.split("hint:")[1]
    shown = compared.mlx("exp", "show", "--sort-by", "tree/test.json:auc").ok().stdout
    assert shown.split()[:2] == ["tree/test.json", "base/test.json"]
    compared.mlx("exp", "show", "--filter", "tree/test.json:auc > 0.1").ok()
    board = "leaderboard: {metric: auc, test: data, models: {mine: m/tree/test.json}}\n"
    compared.write("mlx.yaml", board)
    shown = compared.mlx("exp", "show", "--sort-by", "auc").ok().stdout
    assert shown.split()[:2] == ["tree/test.json", "base/test.json"]


def test_on_a_narrow_terminal(compared: Project) -> None:
    seen = answered(compared, "", "exp", "show", columns=30)  # TERM=dumb: without colours
    assert all(len(line) <= 30 for line in seen.splitlines() if "left out" not in line), seen
    assert "lime-otter" in seen and "accuracy" in seen
