"""Hypothesis strategies for random projects: their first state."""

import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from .world import Document, Product, World

Draw = Callable[..., Any]

FOLDERS = ["", "", "", "sub", "sub/deep dir"]
# Characters that YAML, a shell, .gitignore or a naive split would trip over.
FILE_NAMES = [
    "out",
    "out",
    "o ut",
    "größe",
    "w[1]",
    "a*b",
    "#hash",
    "it's",
    "日本",
    ".dot",
    "!bang",
    "%d",
]
STAGE_NAMES = ["prep", "train", "eval", "two words", "évalue", "a-b_c", "1"]
VALUES: list[Any] = [
    1, 1.0, True, False, 0, None, 0.1, 1e-05, 1.5e300, 10**20, -3, "1", "yes", "", "ä ö", "a: b",
    "2020-01-01", "#no comment", "two\nlines", [1, 2], [], {}, {"a": 1, "b": [0.5, "x"]}, "x" * 100,
]  # fmt: skip
SCALARS: list[Any] = [0.5, 1, "1", True, "ä ö", 1e-05]
TOML_VALUES: list[Any] = [1, 1.0, True, 0.1, "1", "ä", [1, 2], ""]
PY_VALUES: list[Any] = [1, 1.0, True, None, 0.1, "1", "ä", [1, 2], (1, 2), {"a": 1}]
OUT_KINDS = (
    ["file"] * 9 + ["folder"] * 3 + ["nocache", "nocache", "persist", "exec", "empty folder"]
    + ["metric", "metric", "cached metric", "plot", "empty"]
)  # fmt: skip
LONG = "a rather long sentence that makes the writer of the lock file fold its line, " * 2

quote = shlex.quote


def relative(path: str, base: str) -> str:
    """`path` as seen from the folder `base`, both from the root."""
    return os.path.relpath(path or ".", base or ".")


def chance(draw: Draw, percent: int) -> bool:
    """True in about `percent` of the draws; shrinks to False."""
    return bool(draw(st.integers(0, 99)) >= 100 - percent)


def pick(draw: Draw, options: list[Any]) -> Any:
    """One of the options; shrinks to the first."""
    return draw(st.sampled_from(options))


@st.composite
def worlds(draw: Draw) -> World:
    """A project with sources, parameters, tracked data and two to seven stages."""
    world = World()
    _add_params(draw, world)
    _add_sources(draw, world)
    world.pipelines[""] = {"stages": {}}
    if chance(draw, 40):
        world.pipelines[""] = {"vars": [{"v": {"tag": "t0", "n": 3}}], "stages": {}}
    for _ in range(draw(st.integers(2, 7))):
        add_stage(draw, world)
    if chance(draw, 25):
        add_group(draw, world)
    return world


def _add_params(draw: Draw, world: World) -> None:
    world.params["params.yaml"] = {
        "lr": pick(draw, VALUES),
        "rate": 0.5,  # a scalar, because templates use it
        "size": 1,  # also a key of lock entries, which DVC's run-cache confuses
        "train": {"epochs": pick(draw, VALUES), "nfiles": 2, "deep": {"x": pick(draw, VALUES)}},
    }
    if chance(draw, 40):
        world.params["conf/more.json"] = {"a": pick(draw, VALUES), "b": {"c": pick(draw, VALUES)}}
    if chance(draw, 25):
        world.params["conf.toml"] = {
            "a": pick(draw, TOML_VALUES),
            "t": {"c": pick(draw, TOML_VALUES)},
        }
    if chance(draw, 25):
        world.params["conf.py"] = {"A": pick(draw, PY_VALUES), "T": {"c": pick(draw, TOML_VALUES)}}


def _add_sources(draw: Draw, world: World) -> None:
    for index in range(draw(st.integers(1, 3))):
        path = ["in", "src/größe in", "sub/in 2"][index]
        world.sources[path] = (f"source {index}\n".encode(), 0o755 if chance(draw, 10) else 0o644)
        world.available.append(Product(path))
    if chance(draw, 40):
        for name in ("a.t", "b c.t", "n/é.t"):
            world.sources[f"folder/{name}"] = (f"in folder {name}\n".encode(), 0o644)
        world.available.append(Product("folder", is_dir=True))
    if chance(draw, 50):
        path = pick(draw, ["data.csv", "raw data/x.csv"])
        world.tracked[path] = {path: b"tracked\n"}
        world.available.append(Product(path))
    if chance(draw, 35):
        files = {f"images/{name}": f"tracked {name}\n".encode() for name in ("a.t", "n/b.t")}
        world.tracked["images"] = files
        world.available.append(Product("images", is_dir=True))
        if chance(draw, 30):
            world.available.append(Product("images/a.t"))


def add_stage(draw: Draw, world: World) -> None:
    """Add one stage to one dvc.yaml; its outputs can be read by later stages."""
    folder = pick(draw, FOLDERS)
    document = world.pipelines.setdefault(folder, {"stages": {}})
    wdir = pick(draw, [".", ".", ".", "work", ".."]) if folder else pick(draw, [".", ".", "work"])
    base = os.path.normpath(os.path.join(folder, wdir)).removeprefix(".")
    if base and not any(path.startswith(base + "/") for path in world.sources):
        world.sources[f"{base}/readme"] = (b"a folder to work in\n", 0o644)
    name = f"{pick(draw, STAGE_NAMES)}{world.number()}"
    stage: Document = {}
    if chance(draw, 15):
        stage["desc"] = "what it does: größe"
    lines = _commands(_Making(draw, world, stage, folder, base))
    stage["cmd"] = _as_cmd(draw, lines)
    if wdir != ".":
        stage["wdir"] = wdir
    if chance(draw, 6):
        stage["always_changed"] = True
    if chance(draw, 10):
        stage["meta"] = {"owner": "someone", "size": 3}
    document["stages"][name] = stage


@dataclass
class _Making:
    """A stage while it is drawn: its dvc.yaml lies in `folder`, its commands run in `base`."""

    draw: Draw
    world: World
    stage: Document
    folder: str
    base: str


def _commands(making: _Making) -> list[str]:
    """Fill in deps, params and outs; the commands that read the ones and write the others."""
    draw, world, stage, base = making.draw, making.world, making.stage, making.base
    inputs: list[Product] = draw(
        st.lists(st.sampled_from(world.available), max_size=3, unique_by=lambda p: p.path)
    )
    inputs = [p for p in inputs if not any(_inside(p.path, other.path) for other in inputs)]
    readers = []
    for product in inputs:
        path = relative(product.path, base)
        stage.setdefault("deps", []).append(path)
        readers.append(
            f"find {quote(path)} -type f | wc -l" if product.is_dir else f"cat {quote(path)}"
        )
        if product.is_dir:
            readers.append(f"cat {quote(path)}/*.t")
    readers += _params(making)
    number = world.number()
    readers.append(f"echo salt{number}")
    if "vars" in world.pipelines[making.folder] and chance(draw, 40):
        readers.append("echo ${v.tag}")
    if chance(draw, 8):
        readers.append(f"echo {quote(LONG)}")
    lines = []
    for index in range(draw(st.integers(1, 2))):
        lines += _output(making, readers, f"{number}{'ab'[index]}")
    return lines


def _inside(path: str, other: str) -> bool:
    return path.startswith(other + "/")


def _params(making: _Making) -> list[str]:
    """Declare some parameters; the commands that read their files."""
    draw, world = making.draw, making.world
    if not chance(draw, 55):
        return []
    entries: list[Any] = []
    readers = []
    for path in draw(st.lists(st.sampled_from(sorted(world.params)), min_size=1, unique=True)):
        keys = parameter_keys(world.params[path])
        chosen = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True))
        where = relative(path, making.base)
        if where == "params.yaml":
            entries += chosen
        elif chance(draw, 30):
            entries.append({where: None})
        else:
            entries.append({where: chosen})
        readers.append(f"cat {quote(where)}")
    making.stage["params"] = entries
    return readers


def parameter_keys(values: Document) -> list[str]:
    """Every dotted key of a parameter file, whole tables included."""
    keys = []
    for key, value in values.items():
        keys.append(key)
        if isinstance(value, dict):
            keys += [f"{key}.{inner}" for inner in value]
    return keys


def _output(making: _Making, readers: list[str], tag: str) -> list[str]:
    """Declare one output; the commands that make it."""
    draw, world, base = making.draw, making.world, making.base
    kind = pick(draw, OUT_KINDS)
    folder = pick(draw, ["", "", "results"])
    suffix = {"plot": ".csv", "metric": ".json", "cached metric": ".json"}.get(kind, "")
    here = os.path.join(folder, f"{pick(draw, FILE_NAMES)}{tag}{suffix}")
    path = os.path.normpath(os.path.join(base, here))
    name = quote(here)
    text = "{ " + "; ".join(readers) + "; }"
    lines = [f"mkdir -p {folder}"] if folder else []
    section = "outs"
    flags: Document = {}
    is_dir = False
    if kind in ("folder", "empty folder"):
        is_dir = True
        # Neither a mode nor an empty folder inside it is part of a folder's digest.
        lines.append(f"mkdir -p {name}" if kind == "empty folder" else f"mkdir -p {name}/n")
        if kind == "folder":
            lines += [f"{text} > {name}/salt{tag}.t", f"echo nested > {name}/n/'é x'.t"]
    elif kind in ("metric", "cached metric"):
        section, flags = "metrics", {} if kind == "cached metric" else {"cache": False}
        lines.append(
            f"""printf '{{"n": %d, "deep": {{"v": 0.5}}}}\\n' "$({text} | wc -c)" > {name}"""
        )
    elif kind == "plot":
        section, flags = "plots", {"x": "a", "y": "b"} if chance(draw, 50) else {"cache": False}
        lines += [f"printf 'a,b\\n1,2\\n' > {name}", f"{text} | wc -c >> {name}"]
    elif kind == "empty":
        lines.append(f": > {name}")
    else:
        flags = {"persist": {"persist": True}, "nocache": {"cache": False}}.get(kind, {})
        lines.append(f"{text} {'>>' if kind == 'persist' else '>'} {name}")
        lines += [f"chmod +x {name}"] if kind == "exec" else []
    if chance(draw, 8):
        flags = {**flags, "desc": "an output", "type": "thing"}
    making.stage.setdefault(section, []).append({here: flags} if flags else here)
    world.outputs.append(Product(path, is_dir))
    if kind != "empty folder":
        world.available.append(Product(path, is_dir))
    if kind == "folder" and chance(draw, 25):
        world.available.append(Product(f"{path}/salt{tag}.t"))
    return lines


def _as_cmd(draw: Draw, lines: list[str]) -> str | list[str]:
    style = pick(draw, ["joined", "joined", "list", "lines"])
    if style == "list":
        return lines
    return "\n".join(lines) + "\n" if style == "lines" else " && ".join(lines)


def add_group(draw: Draw, world: World) -> None:
    """Add a foreach or a matrix group at the root."""
    number = world.number()
    source = next(p for p in world.available if not p.is_dir).path
    kind = pick(draw, ["list", "dict", "matrix"])
    each: Document = {"foreach": ["x", "y z"]}
    item = "${item}"
    if kind == "dict":
        each, item = {"foreach": {"k1": {"v": 1}, "k2": {"v": "ä"}}}, "${key}-${item.v}"
    elif kind == "matrix":
        each, item = {"matrix": {"p": [1, 2], "q": ["a"]}}, "${item.p}-${item.q}"
    out = f"group{number}-{item}"
    body = {
        "cmd": f'{{ cat {quote(source)}; echo "{item} ${{rate}}"; }} > "{out}"',
        "deps": [source],
        "params": ["lr"],
        "outs": [out],
    }
    entry = {**each, **body} if kind == "matrix" else {**each, "do": body}
    world.pipelines[""]["stages"][f"group{number}"] = entry
