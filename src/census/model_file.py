"""Saving and loading models as skops files: same model, same bytes; and never a pickle."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import skops.io

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

TRUSTED = (
    # Boosted trees check their input with partial(check_array, ...); a partial of any function
    # that is not itself on this list is still refused.
    "functools.partial",
    "sklearn.utils.validation.check_array",
    # Trees hold bare indices, which `check_tree` looks at.
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""The only types allowed in a model file beside those that skops itself trusts.

A fixed list: what a file says that it contains never decides what is loaded from it.
"""

SCHEMA = "schema.json"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest date that a zip file can hold."""


def save_model(model: Any, path: str) -> None:
    """Write a model as a skops file whose bytes depend on the model alone."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(canonical(skops.io.dumps(model)))


def load_model(path: str) -> Any:
    """Load a model of trusted types only; ValueError when its trees are malformed."""
    model = skops.io.load(path, trusted=list(TRUSTED))
    for trees in getattr(model, "_predictors", []):
        for tree in trees:
            check_tree(tree, model._bin_mapper.is_categorical_)
    return model


def canonical(content: bytes) -> bytes:
    """The same skops file with object ids counted from 0, sorted entries and a fixed date.

    skops names arrays after `id(object)` and the zip format notes the time, so that two saves
    of one model differ. Entries stay uncompressed: compressors differ between Python builds.
    """
    with ZipFile(io.BytesIO(content)) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(entries.pop(SCHEMA))
    names: dict[str, str] = {}
    renumber(schema, {}, names, entries)
    if len(names) != len(entries):
        raise ValueError("a skops file has entries that its schema does not mention")
    renamed = {names[name]: body for name, body in entries.items()}
    renamed[SCHEMA] = json.dumps(schema, indent=1).encode()
    target = io.BytesIO()
    with ZipFile(target, "w", ZIP_STORED) as archive:
        for name in sorted(renamed):
            archive.writestr(ZipInfo(name, date_time=EPOCH), renamed[name])
    return target.getvalue()


def renumber(
    node: Any, ids: dict[object, int], names: dict[str, str], entries: Collection[str]
) -> None:
    """Replace, in a schema and in place, object ids and entry names in order of appearance."""
    if isinstance(node, list):
        for item in node:
            renumber(item, ids, names, entries)
    elif isinstance(node, dict):
        # Whether two equal numbers or strings are one object is up to the interpreter.
        plain = node.get("__loader__") == "JsonNode"
        for key, value in node.items():
            if key == "__id__" and isinstance(value, int):
                node[key] = ids.setdefault(object() if plain else value, len(ids))
            elif key == "file" and isinstance(value, str) and value in entries:
                node[key] = names.setdefault(value, f"{len(names):04d}{Path(value).suffix}")
            else:
                renumber(value, ids, names, entries)


def check_tree(tree: Any, is_categorical: NDArray[np.uint8]) -> None:
    """Raise ValueError when a boosted tree points outside itself or its features (features,).

    scikit-learn follows these indices without bounds checks, so that trusting the type is not
    enough: a crafted file could read out of bounds or never end.
    """
    nodes = tree.nodes
    (place,) = (nodes["is_leaf"] == 0).nonzero()
    inner = nodes[place]
    by_level = inner[inner["is_categorical"] != 0]
    bitsets = min(len(tree.raw_left_cat_bitsets), len(tree.binned_left_cat_bitsets))
    sound = (
        len(nodes) > 0
        # Children come after their parent, so a walk always ends.
        and all((inner[side] > place).all() for side in ("left", "right"))
        and all((inner[side] < len(nodes)).all() for side in ("left", "right"))
        and (inner["feature_idx"] >= 0).all()
        and (inner["feature_idx"] < len(is_categorical)).all()
        and is_categorical[by_level["feature_idx"]].all()
        and (by_level["bitset_idx"] < bitsets).all()
    )
    if not sound:
        raise ValueError("a tree of the model points outside itself")
