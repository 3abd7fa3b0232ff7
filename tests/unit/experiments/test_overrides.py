"""What `-S` and `--sweep` ask for, as texts by file, and the files that they make."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlxkit.core.errors import UsageError
from mlxkit.experiments.overrides import choose_texts, make_variants


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "params.yaml").write_text("# top\ntrain:\n  lr: 0.1  # rate\n  depth: 3\n")
    (tmp_path / "c.json").write_text('{"a": {"b": 1}}')
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_settings_and_sweeps_are_combined_and_sweeps_added_up() -> None:
    texts = choose_texts(["seed=1,2", "c.json:a.b=5"], ["lr=1,2", "depth=7"], None)
    assert texts == [
        {"params.yaml": ["seed=1", "lr=1"], "c.json": ["a.b=5"]},
        {"params.yaml": ["seed=1", "lr=2"], "c.json": ["a.b=5"]},
        {"params.yaml": ["seed=1", "depth=7"], "c.json": ["a.b=5"]},
        {"params.yaml": ["seed=2", "lr=1"], "c.json": ["a.b=5"]},
        {"params.yaml": ["seed=2", "lr=2"], "c.json": ["a.b=5"]},
        {"params.yaml": ["seed=2", "depth=7"], "c.json": ["a.b=5"]},
    ]


def test_nothing_is_one_run_without_changes() -> None:
    assert choose_texts([], [], None) == [{}]


def test_hydras_range_and_choice_are_sweeps() -> None:
    texts = choose_texts(["a=range(1,4)", "b=choice(x,y)"], [], None)
    assert [one["params.yaml"] for one in texts] == [
        [f"a={number}", f"b={letter}"] for number in (1, 2, 3) for letter in "xy"
    ]


@pytest.mark.parametrize(
    ("settings", "sweeps", "limit", "said"),
    [
        ([], ["a=5..3"], None, "no runs"),
        ([], ["a=1..1000000"], None, "1,000,000 runs, more than 1,000"),
        (["a=range(0,1000000)"], [], None, "1,000,000 runs"),
        (["a=range(3,1)"], [], None, "no runs"),
        ([], ["a=1..1001"], None, "1,001 runs"),
        ([], ["a=1..20"], 10, "20 runs, more than 10"),
        (["a"], [], None, "missing EQUAL"),
        (["a=glob(*)"], [], None, "glob"),
        (["a=interval(1,2)"], [], None, "interval"),
    ],
)
def test_what_cannot_be_run_is_refused_before_anything_is_made(
    settings: list[str], sweeps: list[str], limit: int | None, said: str
) -> None:
    with pytest.raises(UsageError) as error:
        choose_texts(settings, sweeps, limit)
    assert said in str(error.value)


def test_a_limit_allows_more() -> None:
    assert len(choose_texts([], ["a=1..1001"], 2000)) == 1001


def test_files_keep_their_form_and_equal_runs_are_one(folder: Path) -> None:
    texts = choose_texts(["+train.new=x"], ["train.lr=0.5,0.50,1"], None)
    variants = make_variants(texts, str(folder), None, {})
    assert [one.files["params.yaml"].decode() for one in variants] == [
        f"# top\ntrain:\n  lr: {rate:<3}  # rate\n  depth: 3\n  new: x\n" for rate in ("0.5", "1")
    ]
    assert variants[0].values == {"params.yaml": {"train.new": "x", "train.lr": 0.5}}
    assert (folder / "params.yaml").read_text().count("0.1") == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("train.nope=1", "Could not override 'train.nope'"),
        ("~nope", "nope"),
        ("other.yaml:a=1", "no parameter file other.yaml"),
        ("../x.yaml:a=1", "outside"),
        ("broken.yaml:a=1", "broken.yaml"),
    ],
)
def test_a_file_that_cannot_be_changed_says_why(folder: Path, text: str, said: str) -> None:
    (folder / "broken.yaml").write_text("a: [")
    with pytest.raises(UsageError) as error:
        make_variants(choose_texts([text], [], None), str(folder), None, {})
    assert said in str(error.value)
    assert "mlx-params" not in str(error.value)
