"""`mlx model` on real repositories: versions, stages, gates, rollbacks, bytes, cards."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.commands import Result, mlx_argv
from tests.support.project import Project
from tests.support.pseudo import answered
from tests.support.terminal import ESCAPE
from tests.support.tools import Tools

MLX_YAML = """\
metrics: {acc: {better: higher}}
gates:
  deployment:
    - threshold: {metric: "m.json:acc", min: 0.7}
models:
  census:
    intended_use: To test | <b>only</b>.
    limits: [Learnt on nothing.]
"""
ARTIFACTS = {"census": {"path": "model.bin", "type": "model", "desc": "Who earns more"}}
STAGES: dict[str, Any] = {
    "train": {"cmd": "sed s/^/model/ in > model.bin", "deps": ["in"], "outs": ["model.bin"]},
    "measure": {
        "cmd": "sed 's/{/{ /' acc.json > m.json",
        "deps": ["model.bin", "acc.json"],
        "metrics": [{"m.json": {"cache": False}}],
    },
}


def commit_state(project: Project, number: int, acc: float) -> str:
    """Run the pipeline on another input, and commit; return the commit."""
    project.write("in", f"{number}\n")
    project.write("acc.json", json.dumps({"acc": acc}))
    project.mlx("repro", "-q").ok()
    project.tools.commit(project.root, f"state {number}")
    return project.git("rev-parse", "HEAD").stdout.strip()


@pytest.fixture(scope="module")
def once(template: Path, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    project = Project.copy(template, folder / "project", tools)
    project.dvc("remote", "add", "-q", "-d", "storage", str(folder / "storage")).ok()
    project.pipeline(STAGES, artifacts=ARTIFACTS)
    project.write("mlx.yaml", MLX_YAML)
    for number, acc in ((1, 0.8), (2, 0.9), (3, 0.5)):
        commit_state(project, number, acc)
        which = ("--bump", "minor") if number > 1 else ("model.bin", "--version", "1.0.0")
        project.mlx("model", "register", "census", *which).ok()
    project.mlx("push", "-q", "--all-commits").ok()
    return project.root


@pytest.fixture
def model(once: Path, tools: Tools, tmp_path: Path) -> Project:
    """A project with census v1.0.0, v1.1.0 and v1.2.0; the last fails its deployment gate."""
    return Project.copy(once, tmp_path / "project", tools)


def tags(project: Project) -> list[str]:
    return project.git("tag", "--list").stdout.split()


def events(project: Project, *kinds: str) -> list[dict[str, Any]]:
    found = project.mlx("audit", "--json").ok().json["events"]
    return [one["what"] for one in found if one["kind"] in kinds]


def refused(result: Result, code: int, *words: str) -> None:
    assert result.code == code, str(result)
    for word in words:
        assert word in result.stderr, str(result)


def at_once(project: Project, *commands: Sequence[str]) -> list[int]:
    running = [
        subprocess.Popen(
            mlx_argv("model", *one), cwd=project.root, env=dict(project.tools.env),
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        for one in commands
    ]  # fmt: skip
    return [(one.communicate(), one.returncode)[1] for one in running]


def test_from_a_version_to_a_stage_and_back(model: Project) -> None:
    done = model.mlx("model", "promote", "census@1.0.0", "--to", "prod").ok()
    assert done.stdout == "census#prod#1 -> v1.0.0  deployment gate passed (1 rule)\n"
    model.mlx("model", "promote", "census@v1.1.0", "--to", "prod").ok()
    failed = model.mlx("model", "promote", "census@latest", "--to", "prod")
    through = "mlx model promote census@v1.2.0 --to prod --override --reason TEXT"
    refused(failed, 3, f"hint: to let it through: {through}\n")
    assert "acc 0.5 < 0.7" in failed.stdout
    assert "census#prod#3" not in tags(model)
    refused(model.mlx("model", "promote", "census@v1.1.0", "--to", "prod"), 2, "already")
    around = ("--no-gate", "--reason", "x")
    refused(
        model.mlx("model", "promote", "census@latest", "--to", "prod", *around), 2,
        "has a gate 'deployment'", "--override --reason TEXT",
    )  # fmt: skip
    over = ("--override", "--reason", "nothing better", "--name", "Bo", "--json")
    told = model.mlx("model", "promote", "census@latest", "--to", "prod", *over).ok().json
    assert (told["tag"], told["before"], told["promoted"]) == ("census#prod#3", "v1.1.0", True)
    assert told["gate"]["overridden"] is True
    assert told["gate"]["by"] == "Bo"
    refused(model.mlx("model", "rollback", "census", "prod"), 2, "needs a reason")
    back = model.mlx("model", "rollback", "census", "prod", "--reason", "it is bad").ok()
    assert back.stdout == "census#prod#4 -> v1.1.0, before v1.2.0\n"
    model.mlx("model", "rollback", "census", "prod", "--reason", "still").ok()
    again = model.mlx("model", "rollback", "census", "prod", "--reason", "more")
    refused(again, 1, "nothing before")
    listed = model.mlx("model", "list", "--json").ok().json["models"]
    assert [one["name"] for one in listed] == ["census"]
    assert listed[0]["latest"] == "v1.2.0"
    assert listed[0]["stages"]["prod"]["version"] == "v1.0.0"
    happened = model.mlx("model", "history", "census", "--json").ok().json["events"]
    assert [one["event"] for one in happened[:3]] == ["rolled-back", "rolled-back", "promoted"]
    assert happened[0]["told"]["from"] == "v1.1.0"
    assert [one["tag"] for one in events(model, "promoted")][::-1] == [
        "census#prod#1", "census#prod#2", "census#prod#3"
    ]  # fmt: skip
    assert [one["reason"] for one in events(model, "rolled-back")] == ["still", "it is bad"]
    assert len(events(model, "override")) == 1
    model.mlx("audit", "verify").ok()


def test_a_tag_says_what_it_is_about(model: Project) -> None:
    text = model.git("cat-file", "-p", "census@v1.1.0").stdout
    told = json.loads(text.rsplit("mlx-model: ", 1)[1])
    assert told["path"] == "model.bin"
    assert told["md5"] in model.git("show", "census@v1.1.0:dvc.lock").stdout
    assert told["kind"] == "registered"
    (first, *_) = events(model, "registered")
    assert first["version"] == "v1.2.0"
    assert (
        first["md5"]
        == json.loads(
            model.git("cat-file", "-p", "census@v1.2.0").stdout.rsplit("mlx-model: ", 1)[1]
        )["md5"]
    )


def test_what_is_not_registered(model: Project) -> None:
    before = tags(model)
    head = ("model", "register", "census")
    refused(model.mlx(*head), 2, "is census@v1.2.0 already")
    commit_state(model, 4, 0.8)
    refused(model.mlx(*head, "--version", "1.1.0"), 2, "registered already")
    refused(model.mlx(*head, "--version", "one"), 2, "no version like 1.2.3")
    refused(model.mlx(*head, "in"), 2, "'model.bin', not 'in'")
    refused(model.mlx("model", "register", "a b", "in"), 2, "cannot be the name")
    refused(model.mlx("model", "register", "new", "in"), 4, "dvc.yaml", "artifacts: {new:")
    refused(model.mlx(*head, "--rev", "nowhere"), 2, "nowhere")
    model.write("acc.json", '{"acc": 1}')
    refused(model.mlx(*head), 1, "working tree", "acc.json")
    model.git("checkout", "acc.json")
    os.chmod(model.root / "model.bin", 0o644)
    (model.root / "model.bin").unlink()
    model.write("model.bin", "other")
    refused(model.mlx(*head), 1, "not what the lock records")
    assert tags(model) == before
    assert len(events(model, "registered")) == 3
    done = model.mlx(*head, "--rev", "HEAD", "--json").ok().json
    assert done["version"] == "v1.2.1"


def test_a_model_is_declared_on_request(model: Project) -> None:
    lines = model.read("dvc.yaml").splitlines()
    declared = model.mlx("model", "register", "second", "in", "--declare")
    refused(declared, 1, "declared in dvc.yaml now", "git commit")
    now = model.read("dvc.yaml").splitlines()
    new = ["  second:", "    path: in", "    type: model"]
    at = now.index("  second:")
    assert (now[at : at + 3], now[:at] + now[at + 3 :]) == (new, lines)
    assert "second@v0.0.1" not in tags(model)
    model.tools.commit(model.root, "declare")
    done = model.mlx("model", "register", "second").ok()
    assert "second@v0.0.1" in done.stdout
    shown = model.mlx("model", "fetch", "second@latest", "-o", "out").ok()
    assert model.read("out/in") == "3\n"
    assert "second@v0.0.1" in shown.stdout
    (model.root / "out/in").unlink()
    (model.root / "out/in").symlink_to(model.root / "acc.json")
    refused(model.mlx("model", "fetch", "second", "-o", "out"), 1, "in the way")
    model.mlx("model", "fetch", "second", "-o", "out", "--force").ok()
    assert (model.read("out/in"), model.read("acc.json")) == ("3\n", '{"acc": 0.5}')
    refused(model.mlx("model", "fetch", "second", "-o", "in"), 2, "'in' is a file, not a folder")


def test_without_a_gate_nothing_is_promoted_unless_one_says_so(model: Project) -> None:
    model.write("mlx.yaml", "gates: {test: [{threshold: {metric: 'm.json:acc', min: 0.1}}]}\n")
    model.tools.commit(model.root, "no gate")
    model.mlx("model", "register", "census").ok()
    refused(
        model.mlx("model", "promote", "census@latest", "--to", "prod"), 4,
        "no gate 'deployment'", "write, and commit: gates: {deployment:",
    )  # fmt: skip
    without = ("model", "promote", "census@latest", "--to", "prod", "--no-gate")
    refused(model.mlx(*without), 2, "needs a reason")
    model.mlx(*without, "--reason", "a trial").ok()
    (told,) = events(model, "promoted")
    assert told["gate"]["left_out"] is True
    assert told["gate"]["reason"] == "a trial"
    assert "no gate: a trial" in model.mlx("model", "history", "census").ok().stdout
    # A gate that skips all of its rules has not said yes.
    rule = "threshold: {metric: 'm.json:acc', min: 9, when: {events: [push]}}"
    model.write("mlx.yaml", f"gates: {{deployment: [{{{rule}}}]}}\n")
    model.tools.commit(model.root, "all skipped")
    model.mlx("model", "register", "census").ok()
    again = model.mlx("model", "promote", "census@latest", "--to", "prod")
    refused(again, 4, "every rule is skipped: only for event push")


def test_names_that_are_nothing_get_the_nearest(model: Project) -> None:
    model.mlx("model", "promote", "census@v1.0.0", "--to", "prod").ok()
    refused(model.mlx("model", "show", "censos"), 2, "did you mean 'census'?")
    refused(model.mlx("model", "show", "census@1.0.1"), 2, "did you mean 'v1.")
    refused(model.mlx("model", "show", "census#prd"), 2, "did you mean 'prod'?")
    refused(model.mlx("lineage", "census#prd"), 2, "did you mean 'prod'?")
    assert "model.bin" in model.mlx("lineage", "census#prod").ok().stdout
    refused(model.mlx("cost", "census#prd"), 2, "did you mean 'prod'?")
    costs = [model.mlx("cost", f"census@{old}..census@{new}", "--json").ok().json
             for old, new in (("1.0.0", "latest"), ("v1.0.0", "v1.2.0"))]  # fmt: skip
    assert costs[0] == costs[1]
    compared = model.mlx("diff", "census#prod", "census@1.1.0", "--json").ok().json
    assert [one["path"] for one in compared["modified"]] == ["model.bin"]
    refused(model.mlx("model", "promote", "census", "--to", "prod"), 2, "write census@latest,")
    refused(model.mlx("model", "show", "census#"), 2, "in stage ''", "stages: prod")
    refused(model.mlx("model", "promote", "census@v1.0.0", "--to", "a b"), 2, "name of a stage")
    refused(
        model.mlx("model", "rollback", "census", "prod", "--reason", "x", "--to", "1.1.0"), 2,
        "never in 'prod'",
    )  # fmt: skip
    refused(model.mlx("model", "regster"), 2, "did you mean 'mlx model register'?")


def test_two_at_once_never_share_a_number_or_a_version(model: Project) -> None:
    commit_state(model, 4, 0.8)
    codes = at_once(model, ("register", "census"), ("register", "census", "--version", "3.0.0"))
    assert sorted(codes) == [0, 2], "a commit is one version"
    one = ("promote", "census@v1.0.0", "--to", "prod")
    codes = at_once(model, one, ("promote", "census@v1.1.0", "--to", "dev"), one)
    assert sorted(codes)[:2] == [0, 0]
    assert sorted(codes)[2] in (1, 2)
    made = [one for one in tags(model) if "#" in one]
    assert sorted(one.rsplit("#")[-1] for one in made) == ["1", "2"]
    assert len(events(model, "promoted")) == 2


def test_a_tag_and_its_event_come_together(model: Project, tmp_path: Path) -> None:
    """Killed when the tag is made, and the event is about to be: there is neither."""
    real = shutil.which("git")
    killer = tmp_path / "bin" / "git"
    killer.parent.mkdir()
    killer.write_text(
        f'#!/bin/sh\ncase " $* " in *" commit-tree "*) kill -9 $PPID; exit 1;; esac\n'
        f'exec {real} "$@"\n'
    )
    killer.chmod(0o755)
    before = model.git("for-each-ref").stdout
    promote = ("model", "promote", "census@v1.0.0", "--to", "prod")
    killed = model.mlx(*promote, PATH=f"{killer.parent}:{model.tools.env['PATH']}")
    assert killed.code == -9
    assert model.git("for-each-ref").stdout == before
    model.mlx(*promote).ok()
    assert [one["tag"] for one in events(model, "promoted")] == ["census#prod#1"]


def test_bytes_come_from_the_remote_and_are_checked(model: Project, tmp_path: Path) -> None:
    model.mlx("model", "promote", "census@v1.0.0", "--to", "prod").ok()
    clone = Project(tmp_path / "clone", model.tools)
    model.git("clone", "-q", str(model.root), str(clone.root))
    done = clone.mlx("model", "fetch", "census#prod", "-o", "deep/out", "--json").ok().json
    assert clone.read("deep/out/model.bin") == "model1\n"
    assert done["fetched"] == 1
    assert done["version"] == "v1.0.0"
    again = clone.mlx("model", "fetch", "census#prod", "-o", "deep/out").ok()
    assert "there already" in again.stdout
    clone.mlx("model", "fetch", "census@v1.1.0", "-o", "deep/out").ok()
    assert clone.read("deep/out/model.bin") == "model2\n"
    mine = clone.root / "deep/out/model.bin"
    mine.unlink()
    mine.write_text("mine")
    refused(clone.mlx("model", "fetch", "census#prod", "-o", "deep/out"), 1, "in the way")
    assert mine.read_text() == "mine"
    clone.mlx("model", "fetch", "census#prod", "-o", "deep/out", "--force").ok()
    assert mine.read_text() == "model1\n"
    assert not [one for one in os.listdir(mine.parent) if one != "model.bin"]
    md5 = done["content"]["md5"]
    kept = clone.root / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    kept.chmod(0o644)
    kept.write_text("damaged")
    kept.chmod(0o444)  # as if it were good
    mended = clone.mlx("model", "fetch", "census#prod", "-o", "mended").ok()
    assert ("(fetched 7 B)" in mended.stdout, kept.read_text()) == (True, "model1\n")
    assert clone.read("mended/model.bin") == "model1\n"


def test_a_clone_without_files_is_enough(model: Project, tmp_path: Path) -> None:
    model.dvc("remote", "modify", "storage", "url", "../../near/storage").ok()
    model.write("in", "9\n")
    model.mlx("repro", "-q").ok()
    model.tools.commit(model.root, "a remote beside the project")
    model.mlx("model", "register", "census").ok()
    model.mlx("push", "-q").ok()
    clone = Project(tmp_path / "clone", model.tools)
    model.git("clone", "-q", "--no-checkout", str(model.root), str(clone.root))
    clone.mlx("model", "fetch", "census", "-o", str(tmp_path / "out")).ok()
    assert (tmp_path / "out" / "model.bin").read_text() == "model9\n"
    assert os.listdir(clone.root) == [".git"]
    assert len(clone.git("worktree", "list").stdout.splitlines()) == 1


def test_data_that_nobody_has_are_asked_for(model: Project, tmp_path: Path) -> None:
    clone = Project(tmp_path / "clone", model.tools)
    model.git("clone", "-q", str(model.root), str(clone.root))
    clone.dvc("remote", "modify", "--local", "storage", "url", str(tmp_path / "empty")).ok()
    (tmp_path / "empty").mkdir()
    refused(clone.mlx("model", "fetch", "census@v1.0.0", "-o", "out"), 1, "mlx push")
    assert not (clone.root / "out" / "model.bin").exists()


def test_tags_of_strangers_do_no_harm(model: Project) -> None:
    evil = 'Register\n\n\x1b[31mred\nmlx-model: {"format":1,"path":"../../etc/passwd","md5":"00"}\n'
    model.git("tag", "-a", "-m", evil, "census@v8.0.0", "census@v1.0.0^{}")
    model.git("tag", "-a", "-m", "x\n\nmlx-model: {broken", "census@v7.0.0", "census@v1.1.0^{}")
    model.git("tag", "census@v9.0.0")
    model.git("tag", "-a", "-m", "a tree", "census@v6.0.0", "HEAD^{tree}")
    listed = model.mlx("model", "list").ok()
    assert "v8.0.0" in listed.stdout
    assert "census@v9.0.0 is lightweight" in listed.stderr
    assert "census@v6.0.0 leads to a tree" in listed.stderr
    refused(model.mlx("model", "fetch", "census@v8.0.0", "-o", "out"), 1, "other bytes")
    assert not (model.root / "out").exists()
    damaged = model.mlx("model", "fetch", "census@v7.0.0", "-o", "out").ok()
    assert "damaged" in damaged.stderr
    assert model.read("out/model.bin") == "model2\n"
    shown = model.mlx("model", "history", "census", "-v").ok().stdout
    assert "\x1b" not in shown
    moved = 'x\n\nmlx-model: {"format":1,"path":"model.bin","md5":"%s"}\n' % ("0" * 32)
    model.git("tag", "-a", "-m", moved, "census@v5.0.0", "census@v1.1.0^{}")
    refused(model.mlx("model", "fetch", "census@v5.0.0", "-o", "out"), 1, "other bytes")


def test_a_commit_that_is_gone_is_said(model: Project) -> None:
    text = model.git("cat-file", "tag", "census@v1.0.0").stdout
    head = model.git("rev-parse", "census@v1.0.0^{}").stdout.strip()
    gone = text.replace(head, "1" * 40).replace("tag census@v1.0.0", "tag census@v4.0.0")
    made = subprocess.run(
        ["git", "hash-object", "-t", "tag", "-w", "--stdin", "--literally"],
        input=gone, text=True, cwd=model.root, env=dict(model.tools.env), capture_output=True,
        check=True,
    ).stdout.strip()  # fmt: skip
    (model.root / ".git/refs/tags/census@v4.0.0").write_text(made + "\n")
    assert "v4.0.0" in model.mlx("model", "list").ok().stdout
    refused(model.mlx("model", "show", "census@v4.0.0"), 1, "not in this repository")


def test_signed_where_the_user_signs(model: Project, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = key.with_suffix(".pub").read_text().split()
    (tmp_path / "allowed").write_text(f"* {public[0]} {public[1]}\n")
    for name, value in (
        ("gpg.format", "ssh"), ("user.signingKey", str(key)), ("tag.gpgSign", "true"),
        ("gpg.ssh.allowedSignersFile", str(tmp_path / "allowed")),
    ):  # fmt: skip
        model.git("config", name, value)
    commit_state(model, 4, 0.8)
    model.mlx("model", "register", "census", "--version", "2.0.0").ok()
    model.git("verify-tag", "census@v2.0.0")
    told = model.mlx("model", "show", "census@v2.0.0", "--json").ok().json
    assert told["registered"]["signature"] == "good"
    assert told["content"]["path"] == "model.bin"
    other = model.mlx("model", "show", "census@v1.0.0", "--json").ok().json
    assert other["registered"]["signature"] == "none"
    key.unlink()
    before = tags(model)
    lost = model.mlx("model", "promote", "census@v2.0.0", "--to", "prod")
    refused(lost, 1, "could not be signed")
    assert tags(model) == before
    assert not events(model, "promoted")


def test_a_tag_is_pushed_and_never_replaces_another(model: Project, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    model.git("clone", "-q", "--bare", str(model.root), str(bare))
    model.git("remote", "add", "origin", str(bare))
    done = model.mlx("model", "promote", "census@v1.0.0", "--to", "prod", "--push").ok()
    assert "pushed to origin" in done.stderr
    other = Project(tmp_path / "other", model.tools)
    model.git("clone", "-q", str(bare), str(other.root))
    other.git("tag", "-d", "census#prod#1")
    lost = other.mlx("model", "promote", "census@v1.0.0", "--to", "prod", "--push")
    refused(lost, 1, "has another tag census#prod#1", "git fetch origin --tags")
    assert "census#prod#1" not in tags(other)
    assert not events(other, "promoted")
    model.git("remote", "set-url", "origin", str(tmp_path / "gone"))
    refused(model.mlx("model", "promote", "census@v1.1.0", "--to", "prod", "--push"), 6)
    assert "census#prod#2" not in tags(model)


def test_a_card_is_made_of_records_alone(model: Project) -> None:
    model.mlx("model", "promote", "census@v1.0.0", "--to", "prod").ok()
    model.mlx("model", "card", "census#prod", "-o", "CARD.md").ok()
    card = model.read("CARD.md")
    assert card.startswith("# census\\@v1.0.0\n\nWho earns more\n")
    for line in (
        "| Stages | prod since 2", "| Owner | not recorded |", "To test \\| \\<b\\>only\\</b\\>.",
        "- Learnt on nothing.", "| `m.json` | `acc` | `0.8` |", "- **deployment: passed**",
        "```mermaid", "| Made by stage | `train` |", "| Runs | 1 |",
        "| Command | `sed s/^/model/ in > model.bin` |",
    ):  # fmt: skip
        assert line in card, line
    assert "### What Git keeps: code and small files\n\n| File | MD5 |\n|---|---|\n| `in` |" in card
    assert "## Evaluation data\n\nNothing but what Git keeps, below.\n\n" in card
    assert "\nWhat Git keeps: `acc.json`.\n" in card
    assert "## Ethical considerations\n\nnot recorded" in card
    assert "0.9" not in card, "nothing of the other versions"
    shown = model.mlx("model", "show", "census#prod").ok().stdout
    assert "gate deployment  passed" in shown
    assert "in prod          since 2" in shown
    assert "tag census#prod#1" in shown
    for stage in ("staging", "canary", "shadow"):
        model.git("tag", "-a", "-m", "x", f"census#{stage}#2", "census@v1.0.0^{}")
    for words in (["list"], ["show", "census#prod"], ["history", "census", "-n", "3"]):
        drawn = ESCAPE.sub("", answered(model, "", "model", *words, columns=50)).splitlines()
        assert len(drawn) > 3, drawn
        assert max(map(len, drawn)) <= 50, drawn


def test_many_tags_are_listed_by_one_call_to_git(model: Project, tmp_path: Path) -> None:
    oid = model.git("rev-parse", "census@v1.0.0").stdout.strip()
    lines = [f"create refs/tags/m{n % 50}@v1.{n}.0 {oid}\n" for n in range(2000)]
    subprocess.run(
        ["git", "update-ref", "--stdin"], input="".join(lines), text=True, cwd=model.root,
        env=dict(model.tools.env), check=True,
    )  # fmt: skip
    trace = tmp_path / "trace"
    listed = model.mlx("model", "list", "--json", GIT_TRACE=str(trace)).ok().json["models"]
    assert len(listed) == 51
    assert sum(len(one["versions"]) for one in listed) == 2003
    calls = [one for one in trace.read_text().splitlines() if "built-in: git" in one]
    assert len(calls) == 1, calls


def test_a_clone_without_tags_or_history_says_so(model: Project, tmp_path: Path) -> None:
    clone = Project(tmp_path / "shallow", model.tools)
    model.git("clone", "-q", "--depth", "1", "--no-tags", f"file://{model.root}", str(clone.root))
    refused(clone.mlx("model", "show", "census"), 2, "shallow", "--unshallow")
    assert "no models" in clone.mlx("model", "list").ok().stderr
    clone.git("fetch", "-q", "--unshallow", "--no-tags")
    refused(clone.mlx("model", "show", "census"), 2, "those of others: git fetch --tags;")


def test_a_file_in_a_folder_of_a_project_in_a_folder(repository: Project) -> None:
    project = Project(repository.root / "team", repository.tools)
    project.root.mkdir()
    project.dvc("init", "-q", "--subdir").ok()
    train = {"cmd": "mkdir -p d; cat in other > d/m", "deps": ["in", "other"], "outs": ["d"]}
    copy = {"cmd": "sed s/1/2/ in > other", "deps": ["in"], "outs": ["other"]}
    project.pipeline({"copy": copy, "train": train}, artifacts={"census": {"path": "d/m"}})
    project.write("in", "1\n")
    project.mlx("repro", "-q").ok()
    project.tools.commit(repository.root, "trained")
    assert "team=census@v0.0.1" in project.mlx("model", "register", "census").ok().stdout
    told = repository.mlx("-C", "team", "model", "show", "team:census", "--json").ok().json
    assert told["made"]["stage"] == "train"
    assert told["content"]["path"] == "d/m"
    storage = str(repository.root.parent / "storage")
    project.dvc("remote", "add", "-q", "--local", "-d", "storage", storage).ok()
    project.mlx("push", "-q").ok()
    shutil.rmtree(project.root / ".dvc/cache")  # with the list of the folder's files
    project.mlx("model", "fetch", "census@0.0.1", "-o", "out").ok()
    assert project.read("out/m") == "1\n2\n"
    card = project.mlx("model", "card", "census").ok().stdout
    assert "| `team/other` |" in card
    assert "| `team/d` |" not in card
    (repository.root / "other/.dvc").mkdir(parents=True)
    repository.write("other/.dvc/config", "")
    project.tools.commit(repository.root, "another project")
    for name in ("census", "team:census"):  # whose gate would that be?
        stranger = ("model", "promote", f"{name}@0.0.1", "--to", "prod", "--no-gate")
        lost = repository.mlx("-C", "other", *stranger, "--reason", "x")
        there = "mlx -C ../team model promote team:census@v0.0.1 --to prod"
        refused(lost, 2, "another project", there)
    repository.mlx("-C", "other", "model", "fetch", "census", "-o", "out").ok()
    assert repository.read("other/out/m") == "1\n2\n"
    shown = repository.mlx("-C", "other", "model", "show", "census", "--json").ok().json
    assert shown["content"] == told["content"]
    for number, stage in enumerate(("dev", "prod"), start=2):
        project.git("tag", "-a", "-m", "x", f"team=census#{stage}#{number}")
    for folder, points in (("team", 0.5), ("other", 0)):
        scored = repository.mlx("-C", folder, "score", "--json").ok().json["tests"]
        (canary,) = (one for one in scored if "staged before" in one["test"])
        assert canary["points"] == points, folder
    project.dvc("artifacts", "get", ".", "team:census", "-o", "by-dvc").ok()
    assert project.read("by-dvc") == "1\n2\n"


def test_a_rollback_may_be_told_where_to(model: Project) -> None:
    for version in ("1.0.0", "1.1.0"):
        model.mlx("model", "promote", f"census@{version}", "--to", "prod").ok()
    told = ("model", "rollback", "census", "prod", "--reason", "x", "--to")
    refused(model.mlx(*told, "1.1.0"), 2, "already")
    refused(model.mlx(*told, "1.2.0"), 2, "never in 'prod'")
    done = model.mlx(*told, "v1.0.0", "--json").ok().json
    assert (done["version"], done["before"], done["tag"]) == ("v1.0.0", "v1.1.0", "census#prod#3")
