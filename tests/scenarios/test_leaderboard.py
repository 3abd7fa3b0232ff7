"""`mlx leaderboard`: what was measured on the same test set is ranked, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.project import Project
from tests.support.tools import Tools

STAGES: dict[str, Any] = {
    "train": {
        "cmd": "sed -n 's/^score: //p' params.yaml > model",
        "deps": ["train.csv"],
        "params": ["score"],
        "outs": ["model"],
    },
    "predict": {
        "cmd": "cat model test.csv > preds",
        "deps": ["model", "test.csv"],
        "outs": ["preds"],
    },
    "evaluate": {
        "cmd": 'printf \'{"accuracy": %s, "rows": 400}\' $(head -n 1 preds) > metrics.json',
        "deps": ["preds"],
        "metrics": [{"metrics.json": {"cache": False}}],
    },
    "base": {
        "cmd": "printf '{\"accuracy\": 0.6}' > base.json",
        "deps": ["test.csv"],
        "metrics": [{"base.json": {"cache": False}}],
    },
}
SETTINGS = """\
leaderboard:
  metric: accuracy
  test: test.csv
  models: {mine: metrics.json}
  baselines: {base: base.json}
  deployed: prod
"""


def train(project: Project, score: str, message: str = "trained") -> str:
    """Learn another model, and commit it."""
    project.write("params.yaml", f"score: {score}\n")
    project.mlx("repro").ok()
    project.tools.commit(project.root, message)
    return project.git("rev-parse", "HEAD").stdout.strip()


def experiment(project: Project, score: str, name: str) -> str:
    """Learn a model that no branch has: an experiment made from the current commit."""
    base = project.git("rev-parse", "HEAD").stdout.strip()
    commit = train(project, score, name)
    project.git("update-ref", f"refs/exps/{base[:2]}/{base[2:]}/{name}", commit)
    project.git("checkout", "-q", "-B", "main", base)
    project.mlx("checkout").ok()
    return commit


@pytest.fixture(scope="module")
def measured_once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tags and an experiment on one test set, then another test set; copied, never changed."""
    project = Project.copy(template, tmp_path_factory.mktemp("board") / "project", tools)
    project.write("train.csv", "1\n")
    project.write("test.csv", "old\n")
    project.pipeline(STAGES)
    project.write("mlx.yaml", SETTINGS)
    train(project, "0.7")
    project.git("tag", "v1")
    project.git("tag", "-a", "-m", "1.0.0", "mine@v1.0.0")
    project.git("tag", "-a", "-m", "to prod", "mine#prod#1")
    train(project, "0.5")
    project.git("tag", "v2")
    experiment(project, "0.9", "lucky")
    return project.root


@pytest.fixture
def board(measured_once: Path, tools: Tools, tmp_path: Path) -> Project:
    """That project."""
    return Project.copy(measured_once, tmp_path / "project", tools)


def ranking(project: Project, *args: str) -> list[tuple[int, str, float]]:
    document = project.mlx("leaderboard", "--json", *args).ok().json
    return [(one["rank"], one["name"], one["value"]) for one in document["ranking"]]


def apart(project: Project, *args: str) -> dict[str, str]:
    document = project.mlx("leaderboard", "--json", *args).ok().json
    return {one["name"]: one["reason"] for one in document["not_comparable"]}


def test_everything_with_a_name_is_ranked(board: Project) -> None:
    document = board.mlx("leaderboard", "--json").ok().json
    assert ranking(board) == [
        (1, "lucky", 0.9),
        (2, "mine#prod#1", 0.7),
        (3, "base", 0.6),
        (4, "v2", 0.5),
    ]
    rows = {one["name"]: one for one in document["ranking"]}
    assert [one["name"] for one in rows["mine#prod#1"]["also"]] == ["mine@v1.0.0", "v1"]
    assert [one["kind"] for one in document["ranking"]] == [
        "experiment", "deployed", "baseline", "tag",
    ]  # fmt: skip
    assert rows["v2"]["not_better_than"] == ["base"]
    assert (document["uses"], document["limit"], document["worn"]) == (3, 50, False)
    assert document["not_comparable"] == []
    assert document["test"]["path"] == "test.csv"


def test_for_people(board: Project) -> None:
    told = board.mlx("leaderboard").ok()
    assert told.stdout.splitlines()[0].startswith(
        "accuracy (higher is better) on test.csv, version "
    )
    assert "   4  v2, main" in told.stdout
    assert "does not beat base" in told.stdout
    assert "3 models measured on this version so far, limit 50" in told.stdout
    assert told.stderr == ""


def test_another_test_set_is_never_ranked(board: Project) -> None:
    board.write("test.csv", "new\n")
    train(board, "0.65", "another test set")
    board.git("tag", "v3")
    assert ranking(board) == [(1, "v3", 0.65), (2, "base", 0.6)]
    assert apart(board) == dict.fromkeys(
        ["lucky", "mine#prod#1", "mine@v1.0.0", "v1", "v2"],
        "measured on another version of test.csv",
    )
    document = board.mlx("leaderboard", "--json").ok().json
    assert document["uses"] == 1
    (old,) = {one["digest"] for one in document["not_comparable"]}
    assert old != document["test"]["digest"]
    # Frozen: the old version, with the baseline as it was measured then.
    assert ranking(board, "--digest", old[:8]) == [
        (1, "lucky", 0.9), (2, "mine#prod#1", 0.7), (3, "base", 0.6), (4, "v2", 0.5),
    ]  # fmt: skip
    assert set(apart(board, "--digest", old)) == {"main", "v3"}
    text = board.mlx("leaderboard").ok().stdout
    assert f"measured on another version of test.csv, {old[:7]}" in text


def test_what_the_user_names(board: Project) -> None:
    assert ranking(board, "lucky", "v1~0") == [
        (1, "lucky", 0.9), (2, "mine#prod#1", 0.7), (3, "base", 0.6),
    ]  # fmt: skip
    head = board.git("rev-parse", "HEAD").stdout.strip()
    assert (3, head[:8], 0.5) in ranking(board, head[:8])
    assert (3, "main", 0.5) in ranking(board, "HEAD")
    assert len(ranking(board, "-E")) == 3
    assert len(ranking(board, "-T")) == 3
    assert [one for one in ranking(board, "-a") if one[1] == "main"] == [(3, "main", 0.5)]
    assert len(ranking(board, "-A")) == 4
    assert len(ranking(board, "-n", "2")) == 2


def test_what_a_file_says_is_not_believed(board: Project) -> None:
    """A metrics file changed by hand is not what the stage measured."""
    board.write("metrics.json", '{"accuracy": 0.999, "rows": 400}')
    board.tools.commit(board.root, "better")
    assert apart(board) == {"main": "metrics.json is not what the lock records: run mlx repro"}
    assert ranking(board)[0] == (1, "lucky", 0.9)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("NaN", "metrics.json: 'accuracy' is nan"),
        ('"high"', "metrics.json: 'accuracy' is the text 'high', not a number"),
        ("[1]", "metrics.json: there is no 'accuracy'"),
        ("", "metrics.json:1: is not JSON"),
    ],
)
def test_what_is_no_number_is_never_ranked(board: Project, value: str, reason: str) -> None:
    train(board, value, "broken")
    (name, why), *_ = apart(board, "HEAD").items()
    assert name == "main"
    assert why.startswith(reason)
    assert [one[1] for one in ranking(board, "HEAD")] == ["mine#prod#1", "base"]


def test_a_stage_that_was_not_run_again(board: Project) -> None:
    """Predictions were made again, the evaluation was not."""
    board.write("params.yaml", "score: 0.8\n")
    board.mlx("repro", "predict").ok()
    board.tools.commit(board.root, "half")
    assert apart(board, "HEAD") == {"main": "preds changed after it was used: run mlx repro"}


def test_uses_count_what_runs_and_choices_tell(board: Project) -> None:
    """A model that nobody committed counts by its run record, a deleted one by a choice."""
    board.write("params.yaml", "score: 0.75\n")
    board.mlx("repro").ok()
    board.git("checkout", "-q", ".")
    assert board.mlx("leaderboard", "--json").ok().json["uses"] == 4
    told = board.mlx("leaderboard", "--choose", "lucky").ok()
    assert "noted: lucky was chosen (rank 1)" in told.stdout
    assert "mlx exp apply lucky" in told.stderr
    (event,) = board.mlx("audit", "--kind", "chosen", "--json").ok().json["events"]
    assert event["what"]["candidate"] == "lucky"
    assert len(event["what"]["among"]) == 4
    for ref in board.git("for-each-ref", "--format=%(refname)", "refs/exps").stdout.split():
        board.git("update-ref", "-d", ref)
    board.git("update-ref", "-d", "refs/mlx/runs")
    document = board.mlx("leaderboard", "--json").ok().json
    assert [one["name"] for one in document["ranking"]] == ["mine#prod#1", "base", "v2"]
    assert (document["uses"], document["choices"]) == (4, 1)


def test_the_same_model_judged_by_changed_code_is_one_use(board: Project) -> None:
    stages = json.loads(json.dumps(STAGES))
    stages["evaluate"]["cmd"] += " && :"
    board.pipeline(stages)
    train(board, "0.5", "the same model")
    assert board.mlx("leaderboard", "--json").ok().json["uses"] == 3


def test_a_worn_test_set(board: Project) -> None:
    board.write("mlx.yaml", SETTINGS + "  uses: 2\n")
    told = board.mlx("leaderboard").ok()
    assert "3 models measured on this version so far, limit 2" in told.stdout
    assert "WORN OUT" in told.stdout
    assert board.mlx("leaderboard", "--check", "-q").code == 3
    checked = board.mlx("leaderboard", "--check", "--json")
    assert (checked.code, checked.json["worn"]) == (3, True)
    board.write("mlx.yaml", SETTINGS + "  uses: 3\n")
    assert board.mlx("leaderboard", "--check", "-q").ok().stdout == ""


def test_luck_is_told_by_the_standard_error(board: Project) -> None:
    """Of 400 rows, an accuracy of 0.9 is known to 0.015; the best of 4 gains up to 0.025."""
    experiment(board, "0.89", "near")
    document = board.mlx("leaderboard", "--json").ok().json
    assert document["bias"] == pytest.approx(0.015 * (2 * 1.386294) ** 0.5)
    told = {one["name"]: one["told_apart"] for one in document["ranking"]}
    assert told == {"lucky": True, "near": False, "mine#prod#1": True, "base": True, "v2": True}
    text = board.mlx("leaderboard").ok().stdout
    assert "not told apart from the best" in text
    assert "the best of 4 looks better than it is, by up to 0.025 on average" in text


def test_nothing_is_deployed(board: Project) -> None:
    board.git("tag", "-a", "-m", "back", "mine#prod!#2", "v1")
    told = board.mlx("leaderboard").ok()
    assert told.stderr == "note: nothing is deployed: no tag like NAME#prod#1\n"
    assert "(1, 'mine" not in str(ranking(board)[:1])


def test_without_settings(board: Project) -> None:
    (board.root / "mlx.yaml").unlink()
    told = board.mlx("leaderboard")
    assert told.code == 2
    for flag in ("--metric", "--test", "--file"):
        assert flag in told.stderr, "all that is missing at once"
    assert "leaderboard: {metric: accuracy" in told.stderr
    args = ("--metric", "accuracy", "--test", "test.csv", "--file", "metrics.json")
    assert ranking(board, *args)[0] == (1, "lucky", 0.9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("leaderboard: [a]\n", "mlx.yaml:1: `leaderboard` is not a mapping"),
        ("leaderboard:\n  usse: 3\n", "mlx.yaml:2: `leaderboard` has an unknown key 'usse'"),
        ("leaderboard:\n  metric: a\n  uses: 0\n", "mlx.yaml:3: `leaderboard.uses` is less than 1"),
        ("leaderboard:\n  uses: many\n", "mlx.yaml:2: `leaderboard.uses` is not a whole number"),
        ("leaderboard:\n  models: x\n", "mlx.yaml:2: `leaderboard.models` is not a mapping"),
        ("leaderboard:\n  digest: xyz\n", "mlx.yaml:2: `leaderboard.digest` is not a digest"),
        ("leaderboard:\n  test: ''\n", "mlx.yaml:2: `leaderboard.test` is empty"),
    ],
)
def test_bad_settings(board: Project, text: str, said: str) -> None:
    board.write("mlx.yaml", text)
    told = board.mlx("leaderboard")
    assert told.code == 4
    assert told.stderr.startswith(f"error: {said}")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nobody"], "there is no commit, branch, tag or experiment 'nobody'"),
        (["--metric", "acuracy"], "metrics.json: there is no 'acuracy' (but 'accuracy')"),
        (["--test", "elsewhere.csv"], "HEAD has no digest of 'elsewhere.csv' on record"),
        (["--digest", "0123"], "no version of 'test.csv' on record"),
        (["--choose", "nobody"], "'nobody' is not on the leaderboard"),
        (["--json", "--md"], "exclude each other"),
        (["-n", "0"], "-n"),
    ],
)
def test_bad_arguments(board: Project, args: list[str], said: str) -> None:
    told = board.mlx("leaderboard", *args)
    assert told.code == 2
    assert said in told.stderr + told.stdout


def test_a_direction_that_nobody_knows(board: Project) -> None:
    told = board.mlx("leaderboard", "--metric", "rows")
    assert told.code == 4
    assert "which direction of 'rows' is good is not known" in told.stderr
    board.write("mlx.yaml", "metrics: {rows: {better: lower}}\n" + SETTINGS)
    assert ranking(board, "--metric", "rows")[0][2] == 400


def test_a_test_set_in_a_folder_of_data(project: Project) -> None:
    """The folder's digest changes with any file in it; only the test set's own counts."""
    project.write("data/test.csv", "old\n")
    project.write("data/other.csv", "1\n")
    project.mlx("add", "data").ok()
    project.write("train.csv", "1\n")
    stages = json.loads(json.dumps(STAGES).replace('"test.csv"', '"data"'))
    stages["predict"]["cmd"] = "cat model data/test.csv > preds"
    project.pipeline(stages)
    project.write("mlx.yaml", SETTINGS.replace("test.csv", "data/test.csv"))
    train(project, "0.7")
    project.git("tag", "v1")
    project.write("data/other.csv", "2\n")
    project.mlx("add", "data").ok()
    train(project, "0.8")
    assert [one[1] for one in ranking(project)] == ["main", "v1", "base"]
    project.write("data/test.csv", "new\n")
    project.mlx("add", "data").ok()
    train(project, "0.9")
    assert [one[1] for one in ranking(project)] == ["main", "base"]
    assert apart(project) == {"v1": "measured on another version of data/test.csv"}


def test_metrics_in_the_cache_and_a_folder_of_its_own(project: Project) -> None:
    stages = json.loads(json.dumps(STAGES))
    stages["evaluate"]["metrics"] = ["metrics.json"]
    for one in stages.values():
        one["wdir"] = "../work"
    for name in ("train.csv", "test.csv"):
        project.write(f"work/{name}", "1\n")
    project.pipeline(stages, "pipeline/dvc.yaml")
    settings = SETTINGS
    for name in ("test.csv", "metrics.json", "base.json"):
        settings = settings.replace(name, f"work/{name}")
    project.write("mlx.yaml", settings)
    for score in ("0.7", "0.8"):
        project.write("work/params.yaml", f"score: {score}\n")
        project.mlx("repro", "-P").ok()
        project.tools.commit(project.root, score)
        project.git("tag", f"v{score}")
    assert ranking(project) == [(1, "v0.8", 0.8), (2, "v0.7", 0.7), (3, "base", 0.6)]
    project.sh("rm -r .dvc/cache")
    assert apart(project)["v0.7"] == "work/metrics.json is not in the cache: run mlx fetch"


def test_hostile_names_do_nothing(board: Project) -> None:
    board.git("tag", "red|`x`<b>_", "v1")
    board.git("tag", "-d", "v1", "mine@v1.0.0", "mine#prod#1")
    told = board.mlx("leaderboard", "--md").ok()
    assert "red\\|\\`x\\`\\<b\\>\\_" in told.stdout
    assert "red|`x`<b>_" in board.mlx("leaderboard").ok().stdout
    board.write("mlx.yaml", SETTINGS.replace("mine:", '"\\e[31mmine":'))
    told = board.mlx("leaderboard")
    assert told.code == 4 and "control character" in told.stderr
    assert "\x1b" not in told.stdout + told.stderr
    board.write("mlx.yaml", SETTINGS)
    train(board, '"\\u001b[31m"', "hostile value")
    assert "\x1b" not in board.mlx("leaderboard").stdout


def test_git_is_not_written(board: Project) -> None:
    before = board.git("for-each-ref").stdout, board.git("status", "--porcelain").stdout
    board.mlx("leaderboard", "-A").ok()
    assert (board.git("for-each-ref").stdout, board.git("status", "--porcelain").stdout) == before


def test_what_is_remembered_is_no_more_than_that(board: Project) -> None:
    """The file may be damaged or gone, or be of somebody else."""
    first = board.mlx("leaderboard", "--json").ok().stdout
    memory = board.root / ".mlx/cache/leaderboard.json"
    assert board.mlx("leaderboard", "--json").ok().stdout == first
    kept = json.loads(memory.read_text())
    for text in ("{", "[]", json.dumps(dict.fromkeys(kept, [1] * 9))):
        memory.write_text(text)
        assert board.mlx("leaderboard", "--json").ok().stdout == first
