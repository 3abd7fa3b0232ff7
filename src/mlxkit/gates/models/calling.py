"""What runs in the process of a model: loads it by a safe format, feeds it, measures; no network.

`python -I calling.py` reads a request as JSON from standard input and writes one JSON document.
It knows nothing of mlx, so that what it measures is the model.
"""

import gc
import json
import os
import resource
import sys
import time
from typing import Any


class Unable(Exception):
    """Something is missing or is not as it must be; says what."""


def main() -> None:
    """Answer one request; whatever the model prints goes nowhere."""
    answer_to = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    request = json.loads(sys.stdin.read())
    _limit(request)
    try:
        answer = TASKS[request["task"]](request)
    except Unable as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": f"it needs more than {request['limit'] >> 20} MiB of address space"}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"[:2000]}
    os.write(answer_to, json.dumps(answer).encode())
    os._exit(0)  # nothing of the model's may hang at the end


def _limit(request: Any) -> None:
    for what, most in (
        (resource.RLIMIT_AS, request["limit"]),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CPU, int(request["within"] * 8) + 10),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):  # lower already, or a system without it
            pass


def types(request: Any) -> Any:
    """Return the types in a skops file that are not allowed."""
    io = _import("skops.io", "skops")
    found = io.get_untrusted_types(file=request["model"])
    return {"types": sorted(set(found) - set(request["types"]))}


def latency(request: Any) -> Any:
    """Return how long each call took, in nanoseconds."""
    call, batches = _ready(request)
    began = time.monotonic()
    for number in range(request["warm_up"]):
        call(batches[number % len(batches)])
    taken: list[int] = []
    gc.collect()
    gc.disable()
    while len(taken) < request["repeats"]:
        if time.monotonic() - began > request["within"] / 2:
            break
        batch = batches[len(taken) % len(batches)]
        start = time.perf_counter_ns()
        call(batch)
        taken.append(time.perf_counter_ns() - start)
    return {"taken": taken}


def memory(request: Any) -> Any:
    """Return the bytes that loading and one call added to the resident memory, at its peak."""
    table = _read(request)
    _libraries(request["format"])
    gc.collect()
    before = _resident()
    _forget_peak()
    model = _load(request)
    called = request["format"] != "safetensors"
    if called:
        call, batches = _calls(model, table, request)
        call(batches[0])
    return {"added": max(0, _peak() - before), "called": called}


TASKS = {"types": types, "latency": latency, "memory": memory}


def _ready(request: Any) -> Any:
    if request["format"] == "safetensors":
        raise Unable("safetensors hold numbers alone: there is nothing to call")
    table = _read(request)
    return _calls(_load(request), table, request)


def _read(request: Any) -> Any:
    """Return the inputs as a data frame."""
    pandas = _import("pandas", "pandas")
    path, named = request["inputs"], request["inputs_named"]
    with open(path, "rb") as file:
        parquet = file.read(4) == b"PAR1"
    if parquet:
        table = _import("pyarrow.parquet", "pyarrow").read_table(path).to_pandas()
    else:
        try:
            table = pandas.read_csv(path)
        except (ValueError, UnicodeDecodeError) as error:
            raise Unable(f"{named} is neither Parquet nor CSV: {error}"[:300]) from None
    if not len(table):
        raise Unable(f"{named} has no rows")
    return table


def _load(request: Any) -> Any:
    path, form = request["model"], request["format"]
    if form == "skops":
        io = _import("skops.io", "skops")
        return io.load(path, trusted=list(request["types"]))
    if form == "lightgbm":
        return _import("lightgbm", "lightgbm").Booster(model_file=path)
    if form == "xgboost":
        booster = _import("xgboost", "xgboost").Booster()
        with open(path, "rb") as file:
            booster.load_model(bytearray(file.read()))
        return booster
    if form == "onnx":
        runtime = _import("onnxruntime", "onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        with open(path, "rb") as file:
            return runtime.InferenceSession(file.read(), options, ["CPUExecutionProvider"])
    numpy = _import("safetensors.numpy", "safetensors")
    return numpy.load_file(path)


def _libraries(form: str) -> None:
    """Import what a model of this format needs, so that it is not counted as the model's."""
    if form == "skops":
        _import("skops.io", "skops")
        for name in ("ensemble", "linear_model", "pipeline"):
            _import(f"sklearn.{name}", "scikit-learn")
    elif form in ("lightgbm", "xgboost"):
        _import(form, form)
    elif form == "onnx":
        _import("onnxruntime", "onnxruntime")


def _calls(model: Any, table: Any, request: Any) -> Any:
    """Return what calls the model, and what it is called with: rows one after the other."""
    form, rows = request["format"], request["rows"]
    named = getattr(model, "feature_names_in_", None)
    columns = request["columns"] or ([str(one) for one in named] if named is not None else None)
    if columns is None:
        columns = [one for one in table.columns if one not in request["leave_out"]]
    absent = [one for one in columns if one not in table.columns]
    if absent:
        raise Unable(f"{request['inputs_named']} has no column {', '.join(absent[:5])}")
    chosen = table[columns]
    if len(chosen) < rows:
        raise Unable(f"{request['inputs_named']} has {len(chosen)} rows, a call takes {rows}")
    most = min(len(chosen) // rows, 256)
    frames = [chosen.iloc[one * rows : (one + 1) * rows] for one in range(most)]
    if form == "skops":
        return _method(model, request), (
            frames if named is not None else [one.to_numpy() for one in frames]
        )
    arrays = [one.to_numpy(dtype="float32") for one in frames]
    if form == "lightgbm":
        return lambda rows: model.predict(rows, num_threads=1), arrays
    if form == "xgboost":
        matrix = _import("xgboost", "xgboost").DMatrix
        model.set_param({"nthread": 1})
        names = model.feature_names
        return lambda rows: model.predict(matrix(rows, feature_names=names)), arrays
    (name,) = [one.name for one in model.get_inputs()] if len(model.get_inputs()) == 1 else [""]
    if not name:
        raise Unable("the ONNX model takes several inputs: only one table is known")
    return lambda rows: model.run(None, {name: rows}), arrays


def _method(model: Any, request: Any) -> Any:
    names = [request["call"]] if request["call"] else ["predict_proba", "predict", "transform"]
    for name in names:
        found = getattr(model, name, None)
        if callable(found):
            return found
    raise Unable(f"the model, {type(model).__name__}, has no {' or '.join(names)}")


def _import(name: str, package: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        extra = "mlxkit[gates]" if package in EXTRA else package
        raise Unable(f"needs {package}: pip install '{extra}' ({error})") from None


EXTRA = ("skops", "scikit-learn", "pandas", "pyarrow")


def _resident() -> int:
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return _peak()


def _forget_peak() -> None:
    """Let the peak start anew; where the system cannot, it is counted from the start: too much."""
    try:
        descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
        os.write(descriptor, b"5")
        os.close(descriptor)
    except OSError:
        pass


def _peak() -> int:
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


if __name__ == "__main__":
    main()
