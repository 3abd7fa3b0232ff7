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
