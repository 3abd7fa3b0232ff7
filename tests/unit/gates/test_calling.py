"""Models of the formats whose libraries mlx does not need: called where these are here."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlxkit.gates.models.formats import format_of
from mlxkit.gates.models.process import ask
from mlxkit.gates.verdict import Unjudged

LIMITS = {"within": 60, "limit": 4 << 30, "leave_out": ["id"], "columns": None, "call": None}
COLUMNS = "b,id,a\n" + "".join(f"{one},x{one},{one % 2}.5\n" for one in range(40))


def rows() -> tuple[Any, Any]:
    import pandas

    table = pandas.DataFrame({"a": [one % 2 + 0.5 for one in range(40)], "b": range(40)})
    return table, table.b > 20


def lightgbm_text(path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    data = lightgbm.Dataset(*rows())
    lightgbm.train({"verbose": -1, "min_data_in_leaf": 1}, data, 2).save_model(path)


def xgboost_file(path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    xgboost.train({"max_depth": 2}, xgboost.DMatrix(*rows()), 2).save_model(path)


def onnx_file(path: Path) -> None:
    """Two inputs, each a column by its name and type, are added."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kinds = onnx.helper, onnx.TensorProto
    inputs = [helper.make_tensor_value_info(name, kind, [None, 1])
              for name, kind in (("a", kinds.DOUBLE), ("b", kinds.INT64))]  # fmt: skip
    nodes = [
        helper.make_node("Cast", ["b"], ["c"], to=kinds.DOUBLE),
        helper.make_node("Add", ["a", "c"], ["sum"]),
    ]
    out = helper.make_tensor_value_info("sum", kinds.DOUBLE, [None, 1])
    graph = helper.make_graph(nodes, "g", inputs, [out])
    opset = helper.make_opsetid("", 17)
    path.write_bytes(
        helper.make_model(graph, ir_version=8, opset_imports=[opset]).SerializeToString()
    )


def tensors(path: Path) -> None:
    pytest.importorskip("safetensors")
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0\0\0\0")


def asked(tmp_path: Path, task: str, **more: object) -> Any:
    inputs = tmp_path / "rows.csv"
    inputs.write_text(COLUMNS)
    model = str(next(tmp_path.glob("model.*")))
    files = {"model": model, "inputs": str(inputs), "inputs_named": "rows.csv"}
    return ask(task, {**LIMITS, **files, "format": format_of(model), "types": [], **more})


@pytest.mark.parametrize(
    ("make", "name", "form"),
    [
        (lightgbm_text, "model.txt", "lightgbm"),
        (xgboost_file, "model.json", "xgboost"),
        (xgboost_file, "model.ubj", "xgboost"),
        (onnx_file, "model.onnx", "onnx"),
    ],
)
def test_a_model_is_called_on_the_columns_that_it_names(
    tmp_path: Path, make: Callable[[Path], None], name: str, form: str
) -> None:
    make(tmp_path / name)
    assert format_of(str(tmp_path / name)) == form
    found = asked(tmp_path, "latency", rows=2, warm_up=0, repeats=15)
    assert len(found["taken"]) == 15 and min(found["taken"]) > 0
    assert asked(tmp_path, "memory", rows=30)["called"] is True
    with pytest.raises(Unjudged, match=r"rows\.csv has no column c"):
        asked(tmp_path, "latency", rows=2, warm_up=0, repeats=15, columns=["a", "c"])


def test_tensors_are_loaded_and_not_called(tmp_path: Path) -> None:
    tensors(tmp_path / "model.st")
    assert asked(tmp_path, "memory", rows=1)["called"] is False
    with pytest.raises(Unjudged, match="there is nothing to call"):
        asked(tmp_path, "latency", rows=1, warm_up=0, repeats=15)
