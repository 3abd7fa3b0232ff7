"""What is measured about data: chains of steps that one project a tool goes through."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import projects
from benchmarks.measure import BIN, TOOLS


@dataclass
class Place:
    """Where one tool works: its project, what that starts from, and where its remotes are."""

    tool: str
    source: Path
    root: Path
    remote: str
    options: tuple[str, ...] = ()  # of the remote
    remotes: int = 0


@dataclass(frozen=True)
class Step:
    """One row (per size) of the table; no row without a name.

    `before` brings the project into the state that the step begins with; it is not measured.
    `base` is a command that takes the place of dvc's.
    """

    name: str
    title: str
    args: tuple[str, ...]
    before: Callable[[Place], None]
    goal: float | None = None
    base: tuple[str, ...] = ()

    def command(self, tool: str) -> list[str]:
        """What is run."""
        return [*TOOLS[tool], *self.args] if tool in TOOLS else list(self.base)


@dataclass(frozen=True)
class Chain:
    """Steps where each begins with what the one before left."""

    make: Callable[[Path, int], None]
    steps: tuple[Step, ...]
    sizes: tuple[int, ...]
    quick_sizes: tuple[int, ...]
    against: str = "dvc"
    together: bool = False  # both tools work in one project
    s3: bool = False
    room: Callable[[int], int] = field(default=lambda size: 0)  # bytes of disk needed

    def sizes_for(self, quick: bool) -> tuple[int, ...]:
        """The sizes to run at."""
        return self.quick_sizes if quick else self.sizes

    def fits(self, size: int, folder: Path) -> bool:
        """Whether the disk has room for it."""
        return shutil.disk_usage(folder).free >= self.room(size)


def _fresh(place: Place) -> None:
    projects.copy(place.source, place.root)


def _nothing(place: Place) -> None:
    pass


def _change_one(place: Place) -> None:
    with (place.root / "data" / "000" / "0.bin").open("ab") as file:
        file.write(b"more\n")


def _no_workspace(place: Place) -> None:
    projects.put_away(place.root / "data", place.root.parent / "old")


def _no_cache(place: Place) -> None:
    _no_workspace(place)
    projects.put_away(place.root / ".dvc" / "cache", place.root.parent / "old")


def _new_remote(place: Place) -> None:
    """A place never seen before, so that neither tool remembers anything of it."""
    place.remotes += 1
    lines = [
        "[core]", "    remote = storage", "['remote \"storage\"']",
        f"    url = {place.remote}-{place.remotes}", *(f"    {line}" for line in place.options),
    ]  # fmt: skip
    (place.root / ".dvc" / "config").write_text("\n".join(lines) + "\n")


def _no_copies(place: Place) -> None:
    """One big file: only what was made of it goes, not the file."""
    if not place.root.exists():
        place.source.rename(place.root)  # no second copy of it
    for name in (".dvc/cache", ".mlx"):
        shutil.rmtree(place.root / name, ignore_errors=True)
    for name in ("big.bin.dvc", "copy", ".gitignore"):
        (place.root / name).unlink(missing_ok=True)


def _copied(place: Place) -> None:
    if not place.root.exists():
        projects.copy(place.source, place.root)


def _there(place: Place) -> None:
    if not place.root.exists():
        _copied(place)
        for args in (("status",), ("verify",)):  # warm, as a project is that somebody works in
            subprocess.run([*TOOLS["mlx"], *args], cwd=place.root, check=True, stdout=-3)


FILES = "{size:,} files"
# The goals are those of docs/design/performance.md: mlx is so many times faster.
LOCAL = Chain(
    projects.small_files,
    (
        Step("add", f"add {FILES} of 4 KiB", ("add", "data"), _fresh, 6),
        Step("add-again", f"add again {FILES}, nothing changed", ("add", "data"), _nothing, 8),
        Step("status-data", f"status, {FILES} clean", ("status",), _nothing, 6),
        Step("add-changed", f"add, one of {FILES} changed", ("add", "data"), _change_one, 8),
        Step("checkout", f"checkout {FILES}", ("checkout",), _no_workspace, 6),
        Step("push", f"push {FILES} to a local remote", ("push",), _new_remote, 5),
        Step("push-again", f"push again {FILES}, nothing new", ("push",), _nothing, 20),
        Step("pull", f"pull {FILES} into an empty cache", ("pull",), _no_cache, 8),
    ),
    sizes=(5_000, 50_000),
    quick_sizes=(5_000,),
)
S3 = Chain(
    projects.small_files,
    (
        Step("", "", ("add", "data"), _fresh),
        Step("push-s3", f"push {FILES} to S3 on loopback", ("push",), _new_remote),
        Step("pull-s3", f"pull {FILES} from S3 on loopback", ("pull",), _no_cache),
    ),
    sizes=(2_000,),
    quick_sizes=(200,),
    s3=True,
)
BIG = Chain(
    projects.big_file,
    (
        Step(
            "add-big",
            "add one file of {size:,} MiB, against md5sum, then cp",
            ("add", "big.bin"),
            _no_copies,
            1 / 1.2,
            ("/bin/sh", "-ec", "md5sum big.bin; cp big.bin copy"),
        ),
    ),
    sizes=(2_048,),
    quick_sizes=(256,),
    against="md5sum+cp",
    together=True,
    room=lambda size: 4 * size * 2**20,
)
FIRST = projects.digest("out", 0, 0)  # made by the first commit of all
PICKAXE = ("git", "log", "--all", "-S", FIRST, "--format=%H", "--", "dvc.lock")


def _no_index(place: Place) -> None:
    _copied(place)
    shutil.rmtree(place.root / ".mlx", ignore_errors=True)


HISTORY = Chain(
    projects.history,
    (
        Step(
            "lineage-first",
            "lineage, {size:,} commits, no index yet, against git log -S",
            ("lineage", FIRST),
            _no_index,
            base=PICKAXE,
        ),
        Step(
            "lineage",
            "lineage, {size:,} commits, against git log -S",
            ("lineage", FIRST),
            _nothing,
            base=PICKAXE,
        ),
    ),
    sizes=(1_000, 10_000),
    quick_sizes=(1_000,),
    against="git log -S",
    together=True,
)
VERIFIED = Chain(
    projects.verified,
    (
        Step(
            "verify",
            "verify, 50 stages, {size:,} commits, against mlx status",
            ("verify",),
            _there,
            1 / 2,
            (*TOOLS["mlx"], "status"),
        ),
    ),
    sizes=(1_000,),
    quick_sizes=(1_000,),
    against="mlx status",
    together=True,
)
MODELS = Chain(
    projects.tagged,
    (
        Step(
            "model-list",
            "model list, {size:,} tags of five models, against gto show",
            ("model", "list"),
            _copied,
            5,
            (str(BIN / "gto"), "show"),
        ),
    ),
    sizes=(200, 2_000),
    quick_sizes=(200,),
    against="gto show",
    together=True,
)
CHAINS = (LOCAL, BIG, S3, HISTORY, VERIFIED, MODELS)
STEPS = [step.name for chain in CHAINS for step in chain.steps if step.name]
