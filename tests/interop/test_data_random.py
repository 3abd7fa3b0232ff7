"""Random data and commands: after each one mlx leaves on disk what dvc leaves, byte for byte."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.interop.test_special_data import Pair
from tests.support.long import sampled
from tests.support.tools import Tools

QUIET = settings(
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    max_examples=2,
)
# Which seeds to play; more of them find more: DATA_SCENARIOS=0:300.
SCENARIOS = [int(number) for number in os.environ.get("DATA_SCENARIOS", "0:8").split(":")]

ITEMS = ["data", "größe.csv", "two words", "-dash", "sub/a*b", "sub/deep/日本", "w[1]", "😀"]
NAMES = [
    "a", "b.bin", "n/c", "n/deep er/d", "gro\u0308ße", "größe", "😀/x", "-f", "#h", "x" * 255,
    "é" * 127, "n/w[1]", "'q'", ".hidden", "run", "trailing ",
]  # fmt: skip
CONTENTS = [
    b"", b"x\n", b"y\n", b"line\r\nline\r\n", bytes(range(256)) * 16, b"\0" * 2**20 + b"!",
    b"0123456789abcdef" * (3 * 2**16),
]  # fmt: skip
LINKS = [{}, {}, {}, {"cache": {"type": "hardlink"}}, {"cache": {"type": "symlink"}}]


@dataclass(frozen=True)
class Op:
    """Something done to the data, by the user or by a tool; the numbers choose to what."""

    name: str
    what: int
    more: int
    swapped: bool  # the tools change projects

    def play(self, pair: Pair) -> None:
        """Do it."""
        OPS[self.name](Hand(pair, self))


@dataclass(frozen=True)
class Scenario:
    """Which files there are, and what is done then."""

    links: dict[str, Any]
    items: dict[str, dict[str, tuple[int, bool]]]  # path -> file's name ("" is the path) -> content
    ops: tuple[Op, ...]


@st.composite
def scenarios(draw: Any, length: int = 9) -> Scenario:
    """Two to four things to track, and what happens to them."""
    entry = st.tuples(st.integers(0, len(CONTENTS) - 1), st.booleans())
    folder = st.dictionaries(st.sampled_from(NAMES), entry, max_size=6)
    item = st.one_of(folder, folder, st.fixed_dictionaries({"": entry}))
    op = st.builds(
        Op,
        st.sampled_from(CHOICES),
        st.integers(0, 999),
        st.integers(0, 999),
        st.booleans(),
    )
    return Scenario(
        draw(st.sampled_from(LINKS)),
        draw(st.dictionaries(st.sampled_from(ITEMS), item, min_size=2, max_size=4)),
        tuple(draw(st.lists(op, min_size=length, max_size=length))),
    )


@dataclass(frozen=True)
class Hand:
    """One operation on both projects; what there is to choose from is looked up on disk."""

    pair: Pair
    op: Op

    @property
    def roots(self) -> list[Path]:
        """Both projects."""
        return [side.root for side in self.pair.sides]

    def run(self, *args: str, cwd: str | None = None) -> bool:
        """A command of both tools; whether it succeeded."""
        return not self.pair.run(*args, cwd=cwd, swapped=self.op.swapped)[0].code

    def pick(self, options: list[str], number: int | None = None) -> str | None:
        """One of them, or none where there are none."""
        chosen = self.op.what if number is None else number
        return sorted(options)[chosen % len(options)] if options else None

    def tracked(self) -> list[str]:
        """What has a `.dvc` file."""
        found = (path.relative_to(self.roots[0]) for path in self.roots[0].rglob("*.dvc"))
        return [str(path).removesuffix(".dvc") for path in found if path.name != ".dvc"]

    def items(self) -> list[str]:
        """What there is to add."""
        return [item for item in ITEMS if os.path.lexists(self.roots[0] / item)]

    def files(self) -> list[str]:
        """Every file of the data."""
        root = self.roots[0]
        found = [path for item in self.items() for path in [root / item, *(root / item).rglob("*")]]
        return [str(path.relative_to(root)) for path in found if not path.is_dir()]

    def both(self, change: Callable[[Path], object], path: str | None, what: str) -> None:
        """The user's own hands, on one path of both projects."""
        if path is not None:
            self.pair.log.append(f"{what} {path}")
            for root in self.roots:
                change(root / path)


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """As a careful user does where data may be links: a new file takes its place."""
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _change(hand: Hand) -> None:
    content = CONTENTS[hand.op.more % len(CONTENTS)] + str(hand.op.more % 3).encode()
    hand.both(lambda path: _write(path, content), hand.pick(hand.files()), "change")


def _new_file(hand: Hand) -> None:
    folders = [item for item in hand.items() if (hand.roots[0] / item).is_dir()]
    folder, name = hand.pick(folders), hand.pick(NAMES, hand.op.more)
    if folder:
        content = CONTENTS[hand.op.more % len(CONTENTS)]
        hand.both(lambda path: _write(path, content), f"{folder}/{name}", "write")


def _new_item(hand: Hand) -> None:
    item = hand.pick([item for item in ITEMS if item not in hand.items()])
    content = CONTENTS[hand.op.more % len(CONTENTS)]
    hand.both(lambda path: _write(path, content), item, "write")
    if item:
        hand.run("add", "--", item)


def _link(hand: Hand) -> None:
    target = hand.pick([path for path in hand.files() if not path.endswith("link")])
    folders = [item for item in hand.items() if (hand.roots[0] / item).is_dir()]
    folder = hand.pick(folders, hand.op.more)
    if target and folder:
        to = os.path.relpath(target, folder)
        link = f"{folder}/link"
        hand.both(lambda path: path.unlink(missing_ok=True), link, "unlink")
        hand.both(lambda path: path.symlink_to(to), link, f"link to {to}:")


def _delete(hand: Hand) -> None:
    hand.both(lambda path: path.unlink(), hand.pick(hand.files()), "delete")


def _rename(hand: Hand) -> None:
    inner = [path for path in hand.files() if path not in hand.items()]
    hand.both(
        lambda path: path.rename(path.with_name("renamed " + path.name[-20:])),
        hand.pick(inner),
        "rename",
    )


def _chmod(hand: Hand) -> None:
    linked = "type" in (hand.roots[0] / ".dvc" / "config").read_text()
    real = [path for path in hand.files() if not linked and (hand.roots[0] / path).is_file()]
    hand.both(lambda path: path.chmod(path.stat().st_mode ^ 0o111), hand.pick(real), "chmod")


def _add(hand: Hand) -> None:
    item = hand.pick(hand.items())
    if item:
        flags = [[], [], ["--no-commit"], ["--no-relink"]][hand.op.more % 4]
        hand.run("add", *flags, "--", item)


def _add_all(hand: Hand) -> None:
    items = sorted(hand.items(), reverse=bool(hand.op.what % 2))
    if items:
        hand.run("add", "--", *items)


def _add_glob(hand: Hand) -> None:
    hand.run("add", "--glob", ["[d-z]*[!c]", "sub/deep/日*", "*.csv"][hand.op.what % 3])


def _add_inside(hand: Hand) -> None:
    inner = [path for path in hand.files() if path not in hand.items()]
    path = hand.pick(inner)
    if path and any(path.startswith(item + "/") for item in hand.tracked()):
        hand.run("add", "--", path)


def _commit(hand: Hand) -> None:
    hand.run("commit", "-f")


def _checkout(hand: Hand) -> None:
    hand.run("checkout", "--force", *([], ["--relink"])[hand.op.what % 2])


def _lose(hand: Hand) -> None:
    """The data goes, and comes back."""
    item = hand.pick(hand.tracked())
    if item:
        hand.both(_remove, item, "rm -rf")
        hand.run("checkout", "--force", *([], ["--", item])[hand.op.more % 2])


def _lose_inside(hand: Hand) -> None:
    inner = [path for path in hand.files() if path not in hand.items()]
    path = hand.pick(inner)
    if path:
        hand.both(lambda one: one.unlink(), path, "delete")
        folder = os.path.dirname(path) if hand.op.more % 2 else path
        hand.run("checkout", "--force", "--", folder)


def _push(hand: Hand) -> None:
    item = hand.pick(hand.tracked())
    hand.run("push", *([], [], ["--", item or "."])[hand.op.more % 3])


def _lose_cache(hand: Hand) -> None:
    """Everything is pushed, the cache goes, and comes back."""
    hand.run("push")
    hand.both(_remove, ".dvc/cache", "rm -rf")
    if hand.op.what % 2:
        hand.run("fetch")
    else:
        hand.run("pull", "--force")


def _branch(hand: Hand) -> None:
    """What there is becomes a commit; another one's data comes."""
    pair = hand.pair
    pair.sh(
        "git add -A; git commit -q --allow-empty -m work\n"
        "case $(git branch --show-current) in main) other=side;; *) other=main;; esac\n"
        "git checkout -q $other 2>/dev/null || git checkout -q -b $other"
    )
    hand.run("checkout", "--force")


OPS: dict[str, Callable[[Hand], None]] = {
    "change": _change,
    "new file": _new_file,
    "new item": _new_item,
    "link": _link,
    "delete": _delete,
    "rename": _rename,
    "chmod": _chmod,
    "add": _add,
    "add all": _add_all,
    "add glob": _add_glob,
    "add inside": _add_inside,
    "commit": _commit,
    "checkout": _checkout,
    "lose": _lose,
    "lose inside": _lose_inside,
    "push": _push,
    "lose cache": _lose_cache,
    "branch": _branch,
}
CHOICES = [*OPS, "change", "change", "new file", "rename", "add", "add", "lose", "branch", "branch"]


def _play(scenario: Scenario, pair: Pair) -> None:
    pair.configure(scenario.links)
    pair.git("commit", "-qam", "configured")
    for side in pair.sides:
        for item, files in scenario.items.items():
            if "" not in files:
                (side.root / item).mkdir(parents=True)
            for name, (content, run) in files.items():
                # Through a link the mode would be that of the object in the cache.
                mode = 0o755 if run and not scenario.links else 0o644
                _write(side.root / item / name, CONTENTS[content], mode)
    pair.run("add", "--", *sorted(scenario.items), swapped=len(scenario.items) % 2 == 0)
    for op in scenario.ops:
        pair.log.append(f"--- {op.name}")
        op.play(pair)
    pair.run("commit", "-f")
    pair.agree()


def _check(number: int, template: Path, folder: Path, tools: Tools, other: str = "mlx") -> None:
    """Play the scenario of one seed. Hypothesis always begins with the smallest one: skipped."""
    seen = count()

    @seed(number)
    @QUIET
    @given(scenario=scenarios())
    def check(scenario: Scenario) -> None:
        if turn := next(seen):
            _play(scenario, Pair.make(template, folder / str(turn), tools, other=other))

    check()


@pytest.mark.parametrize("number", sampled(range(*SCENARIOS), 2))
def test_same_bytes_as_dvc(number: int, tools: Tools, template: Path, tmp_path: Path) -> None:
    _check(number, template, tmp_path, tools)


@pytest.mark.parametrize("number", range(1))
def test_dvc_agrees_with_itself(number: int, tools: Tools, template: Path, tmp_path: Path) -> None:
    """The comparison itself is sound: two projects under dvc never differ."""
    _check(number, template, tmp_path, tools, other="dvc")
