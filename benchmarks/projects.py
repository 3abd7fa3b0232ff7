"""The projects that are worked on."""

import hashlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import TOOLS, run


def start(folder: Path, env: Mapping[str, str]) -> Path:
    """An empty Git and DVC project with one commit."""
    folder.mkdir(parents=True)
    git = ["git", "-c", "init.defaultBranch=main"]
    subprocess.run([*git, "init", "-q", "--template="], cwd=folder, env=dict(env), check=True)
    run([*TOOLS["dvc"], "init", "-q"], folder, env)
    for args in (["add", "-A"], ["commit", "-q", "-m", "start"]):
        subprocess.run([*git, *args], cwd=folder, env=dict(env), check=True)
    return folder


def _write(folder: Path, stages: dict[str, Any]) -> None:
    # JSON is YAML: no library decides how the file is written.
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}, indent=1))


def chains(folder: Path, count: int) -> None:
    """`count` trivial stages in chains of ten, each chain from a source of its own."""
    stages: dict[str, Any] = {}
    for number in range(count):
        if number % 10 == 0:
            before = f"in{number // 10}"
            (folder / before).write_text(f"{number}\n")
        out = f"out{number}"
        stages[f"s{number}"] = {"cmd": f"cat {before} > {out}", "deps": [before], "outs": [out]}
        before = out
    _write(folder, stages)


def measured(folder: Path, count: int) -> None:
    """Stages in chains of ten that write metrics, which Git has of two runs."""
    chains(folder, count)
    stages = json.loads((folder / "dvc.yaml").read_text())["stages"]
    git = ["git", "-c", "user.name=B", "-c", "user.email=b@example.org"]
    for run_number in range(2):
        for number, stage in enumerate(stages.values()):
            values = {"loss": 1 / (2 + number + run_number), "accuracy": 0.5, "rows": number}
            text = json.dumps({"test": values, "train": values})
            (folder / f"m{number}.json").write_text(text + "\n")
            stage["cmd"] = f"{stage['cmd'].partition(' && ')[0]} && echo '{text}' > m{number}.json"
            stage["metrics"] = [{f"m{number}.json": {"cache": False}}]
        _write(folder, stages)
        for args in (["add", "-A"], ["commit", "-q", "-m", f"run {run_number}"]):
            subprocess.run([*git, *args], cwd=folder, check=True)


_BY = ("-c", "user.name=B", "-c", "user.email=b@example.org")


def experiments(folder: Path, count: int) -> None:
    """`count` experiments of one pipeline of twenty stages, as either tool would store them."""
    chains(folder, 20)
    stages = json.loads((folder / "dvc.yaml").read_text())["stages"]
    stages["s19"] |= {"params": ["train"], "metrics": [{"m0.json": {"cache": False}}]}
    stages["s19"]["cmd"] += " && echo '{}' > m0.json"
    _write(folder, stages)
    (folder / "params.yaml").write_text("train: {lr: 0.1, depth: 3}\n")
    (folder / "m0.json").write_text("{}\n")
    for args in (["add", "-A"], ["commit", "-q", "-m", "baseline"]):
        _git(folder, *_BY, *args)
    head = _git(folder, "rev-parse", "HEAD")
    lines = []
    for number in range(count):
        params = f"train: {{lr: {number / 1000}, depth: {number % 7}}}\n"
        metrics = json.dumps({"test": {"loss": 1 / (2 + number), "accuracy": 0.5, "rows": number}})
        ref = f"refs/exps/{head[:2]}/{head[2:]}/made-{number}"
        lines.append(f"commit {ref}\ncommitter B <b@example.org> {1_800_000_000 + number} +0000\n")
        lines.append(f"data 3\nexp\nfrom {head}\n")
        for path, text in (("params.yaml", params), ("m0.json", metrics)):
            lines.append(f"M 100644 inline {path}\ndata {len(text)}\n{text}\n")
    _git(folder, "fast-import", "--quiet", text="".join(lines))


def tagged(folder: Path, count: int) -> None:
    """`count` tags of five models: two versions, each of a commit of its own, then a promotion."""
    head = _git(folder, *_BY, "commit-tree", _git(folder, "mktree"), "-m", "start")
    lines = []
    for number in range(count):
        turn, model = divmod(number, 5)
        if model == 0:
            lines.append(f"commit refs/heads/main\nmark :{turn + 1}\n{_when('committer', number)}")
            lines.append(f"data 4\nmore\nfrom {f':{turn}' if turn else head}\n")
        promotes = turn % 3 == 2
        name = f"m{model}#prod#{turn}" if promotes else f"m{model}@v1.{turn}.0"
        lines.append(f"tag {name}\nfrom :{turn if promotes else turn + 1}\n")
        lines.append(f"{_when('tagger', number)}data 4\nsaid\n")
    _git(folder, "fast-import", "--quiet", "--force", text="".join(lines))


def _when(role: str, number: int) -> str:
    return f"{role} B <b@example.org> {1_800_000_000 + number} +0000\n"


def _git(folder: Path, *args: str, text: str = "") -> str:
    done = subprocess.run(
        ["git", *args], cwd=folder, input=text, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def sleepers(folder: Path, count: int) -> None:
    """`count` independent stages of one second."""
    stages: dict[str, Any] = {}
    for number in range(count):
        (folder / f"in{number}").write_text(f"{number}\n")
        stages[f"s{number}"] = {
            "cmd": f"sleep 1 && cat in{number} > out{number}",
            "deps": [f"in{number}"],
            "outs": [f"out{number}"],
        }
    _write(folder, stages)


def small_files(folder: Path, count: int, size: int = 4096, each: int = 500) -> None:
    """`count` files of `size` random bytes in `data/`, `each` in a folder."""
    bytes_of = random.Random(count).randbytes
    for number in range(count):
        inner = folder / "data" / f"{number // each:03}"
        if number % each == 0:
            inner.mkdir(parents=True)
        (inner / f"{number % each}.bin").write_bytes(bytes_of(size))


def big_file(folder: Path, mib: int) -> None:
    """One file of `mib` MiB of random bytes."""
    bytes_of = random.Random(mib).randbytes
    with (folder / "big.bin").open("wb") as file:
        for _ in range(mib):
            file.write(bytes_of(2**20))


def put_away(path: Path, old: Path) -> None:
    """Take something out of the way, into the folder `old`, which is removed at the very end.

    Where many files were deleted lately, ext4 looks at the place of each before it makes a new
    one: for minutes, all that creates files would take several times as long.
    """
    if path.exists():
        old.mkdir(exist_ok=True)
        path.rename(old / str(sum(1 for _ in old.iterdir())))


def history(folder: Path, count: int) -> None:
    """`count` commits that each change one of ten stages in `dvc.lock`, as a run would."""
    parts = []
    for number in range(count):
        text = _lock(number).encode()
        about = f"commit {number}".encode()
        parent = b"from refs/heads/main^0\n" if number == 0 else b""
        parts.append(
            b"commit refs/heads/main\ncommitter B <b@example.org> %d +0000\ndata %d\n%s\n%s"
            b"M 100644 inline dvc.lock\ndata %d\n%s\n"
            % (1_700_000_000 + 60 * number, len(about), about, parent, len(text), text)
        )
    for args, given in ((["fast-import", "--quiet"], b"".join(parts)), (["reset", "--hard"], b"")):
        subprocess.run(["git", *args], cwd=folder, input=given, check=True, stdout=-3)


def digest(*what: object) -> str:
    """The md5 of a content that nobody has."""
    return hashlib.md5(repr(what).encode()).hexdigest()


def verified(folder: Path, count: int) -> None:
    """A pipeline of fifty stages that was run once, with a history of `count` commits."""
    chains(folder, 50)
    run([*TOOLS["mlx"], "repro"], folder, os.environ)
    git = ["git", "-c", "user.name=B", "-c", "user.email=b@example.org"]
    parts = []
    for number in range(count):
        about = f"commit {number}".encode()
        parent = b"from refs/heads/main^0\n" if number == 0 else b""
        parts.append(
            b"commit refs/heads/main\ncommitter B <b@example.org> %d +0000\ndata %d\n%s\n%s"
            b"M 100644 inline notes\ndata %d\n%s\n"
            % (1_700_000_000 + 60 * number, len(about), about, parent, len(about), about)
        )
    for args, given in (
        (["fast-import", "--quiet"], b"".join(parts)),
        (["reset", "--mixed", "-q"], b""),
        (["checkout", "--", "notes"], b""),
        (["add", "-A"], b""),
        (["commit", "-q", "-m", "a run"], b""),
    ):
        subprocess.run([*git, *args], cwd=folder, input=given, check=True, stdout=-3)


def _lock(number: int) -> str:
    lines = ["schema: '2.0'", "stages:"]
    for stage in range(10):
        version = number - (number - stage) % 10 if number >= stage else 0
        lines += [
            f"  s{stage}:", f"    cmd: python train.py {stage}", "    deps:",
            *_item(f"in{stage}.csv", digest("in", stage, version)),
            *_item("src/train.py", digest("code")),
            "    params:", "      params.yaml:", f"        train.lr: {version / 1000}",
            "        train.depth: 3", "    outs:",
            *_item(f"out{stage}.skops", digest("out", stage, version)),
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _item(path: str, md5: str) -> list[str]:
    return [f"    - path: {path}", "      hash: md5", f"      md5: {md5}", "      size: 100"]


def copy(source: Path, target: Path) -> Path:
    """A fresh copy; whatever was there is put away."""
    put_away(target, target.parent / "old")
    shutil.copytree(source, target, symlinks=True)
    return target
