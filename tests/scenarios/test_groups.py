"""`foreach`, `matrix`, templates, and outputs that are folders."""

import os

import pytest
from tests.scenarios.conftest import Outcomes
from tests.support.project import Project

PIPELINE = """\
vars:
  - sizes: [small, large]
stages:
  split:
    foreach: ${sizes}
    do:
      cmd: mkdir -p parts/${item} && cp in parts/${item}/x && echo ${item} > parts/${item}/y
      deps: [in]
      outs: ['parts/${item}']
  fit:
    matrix:
      size: ${sizes}
      seed: [1, 2]
    cmd: cat parts/${item.size}/* > fit-${key}; echo ${item.seed} ${rate} >> fit-${key}
    deps: ['parts/${item.size}']
    outs: ['fit-${key}']
  all:
    cmd: cat fit-* > all
    deps: [fit-small-1, fit-small-2, fit-large-1, fit-large-2]
    outs: [all]
"""
FITS = ["fit@small-1", "fit@small-2", "fit@large-1", "fit@large-2"]


@pytest.fixture
def grouped(project: Project) -> Project:
    """Two groups and what needs them, never run."""
    project.write("in", "1\n")
    project.write("params.yaml", "rate: 5\n")
    project.write("dvc.yaml", PIPELINE)
    return project


def test_every_member_runs(grouped: Project, repro: Outcomes) -> None:
    found = repro(grouped, "-j", "4")
    assert set(found) == {"split@small", "split@large", *FITS, "all"}
    assert set(found.values()) == {"ran"}
    assert list(grouped.lock()) == list(found), "the lock is in the order of one after the other"
    assert grouped.read("fit-large-2") == "1\nlarge\n2 5\n"


def test_a_group_is_a_target_and_so_is_each_member(grouped: Project, repro: Outcomes) -> None:
    assert list(repro(grouped, "split")) == ["split@small", "split@large"]
    assert repro(grouped, "fit@large-1") == {"split@large": "unchanged", "fit@large-1": "ran"}
    assert list(repro(grouped, "--glob", "fit@*-2", "--dry", "-s")) == [
        "fit@small-2",
        "fit@large-2",
    ]


def test_a_new_member_is_the_only_one_to_run(grouped: Project, repro: Outcomes) -> None:
    repro(grouped)
    grouped.write("dvc.yaml", PIPELINE.replace("seed: [1, 2]", "seed: [1, 2, 3]"))
    ran = [name for name, outcome in repro(grouped).items() if outcome == "ran"]
    assert sorted(ran) == ["fit@large-3", "fit@small-3"]


def test_a_template_value_changes_only_the_commands_that_use_it(
    grouped: Project, repro: Outcomes
) -> None:
    repro(grouped)
    grouped.write("params.yaml", "rate: 6\n")
    told = grouped.mlx("status", "--json").ok().json["stages"]
    stale = {one["stage"]: one["reasons"][0]["kind"] for one in told if one["state"] == "stale"}
    assert stale == {**dict.fromkeys(FITS, "cmd-changed"), "all": "upstream"}


def test_one_file_of_a_folder_is_changed(grouped: Project, repro: Outcomes) -> None:
    repro(grouped)
    grouped.sh("echo 2 >> parts/small/y")
    shown = {one["stage"]: one for one in grouped.mlx("status", "--json").ok().json["stages"]}
    assert shown["split@small"]["reasons"] == [{"kind": "out-changed", "what": "parts/small"}]
    assert shown["split@large"]["state"] == "fresh"
    repro(grouped)
    assert grouped.read("parts/small/y") == "small\n"


def test_a_file_too_many_in_a_folder_goes(grouped: Project, repro: Outcomes) -> None:
    repro(grouped)
    grouped.write("parts/large/extra", "x")
    repro(grouped)
    assert not os.path.exists(grouped.root / "parts/large/extra")


def test_an_empty_folder_is_an_output(project: Project, repro: Outcomes) -> None:
    project.pipeline({"s": {"cmd": "mkdir -p d", "outs": ["d"]}})
    assert repro(project) == {"s": "ran"}
    assert project.lock()["s"]["outs"][0]["nfiles"] == 0
    assert repro(project) == {"s": "unchanged"}


def test_logs_of_a_member(grouped: Project, repro: Outcomes) -> None:
    repro(grouped, "split")
    assert "+ mkdir -p parts/small" in grouped.mlx("logs", "split@small").ok().stdout
    listed = grouped.mlx("logs").ok().stdout
    assert "split@small" in listed and "split@large" in listed
    both = grouped.mlx("logs", "split").ok().stdout
    assert "parts/small" in both and "parts/large" in both
