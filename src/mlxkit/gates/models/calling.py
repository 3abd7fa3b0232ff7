"""What runs in the process of a model: loads it by a safe format, feeds it, measures.

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
    io = _import("skops.io")
    found = io.get_untrusted_types(file=request["model"])
    return {"types": sorted(set(found) - set(request["types"]))}


def latency(request: Any) -> Any:
    """Return how long each call took, in nanoseconds."""
    call, batches = _calls(_load(request), _read(request), request)
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
    for library in LIBRARIES[request["format"]]:  # what is not the model's
        _import(library)
    gc.collect()
    before = _status("VmRSS") or _peak()
    _forget_peak()
    model = _load(request)
    called = request["format"] != "safetensors"
    if called:
        call, batches = _calls(model, table, request, most=1)
        call(batches[0])
    return {"added": max(0, _peak() - before), "called": called}


LIBRARIES = {
    "skops": ("skops.io", "sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline"),
    "lightgbm": ("lightgbm",),
    "xgboost": ("xgboost",),
    "onnx": ("onnxruntime",),
    "safetensors": ("safetensors.numpy",),
}
TASKS = {"types": types, "latency": latency, "memory": memory}


def _read(request: Any) -> Any:
    """Return the inputs as a data frame."""
    pandas = _import("pandas")
    path, named = request["inputs"], request["inputs_named"]
    with open(path, "rb") as file:
        parquet = file.read(4) == b"PAR1"
    if parquet:
        table = _import("pyarrow.parquet").read_table(path).to_pandas()
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
        return _import("skops.io").load(path, trusted=list(request["types"]))
    if form == "lightgbm":
        return _import("lightgbm").Booster(model_file=path)
    if form == "xgboost":
        booster = _import("xgboost").Booster()
        with open(path, "rb") as file:
            booster.load_model(bytearray(file.read()))
        return booster
    if form == "onnx":
        runtime = _import("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        with open(path, "rb") as file:
            return runtime.InferenceSession(file.read(), options, ["CPUExecutionProvider"])
    return _import("safetensors.numpy").load_file(path)


def _calls(model: Any, table: Any, request: Any, most: int = 256) -> Any:
    """Return what calls the model, and what it is called with: rows one after the other."""
    form, rows = request["format"], request["rows"]
    if form == "safetensors":
        raise Unable("safetensors hold numbers alone: there is nothing to call")
    named = _own_columns(model, form)
    left = [one for one in table.columns if one not in request["leave_out"]]
    columns = request["columns"] or named or left
    absent = [one for one in columns if one not in table.columns]
    if absent:
        raise Unable(f"{request['inputs_named']} has no column {', '.join(absent[:5])}")
    chosen = table[columns]
    if len(chosen) < rows:
        raise Unable(f"{request['inputs_named']} has {len(chosen)} rows, a call takes {rows}")
    number = min(len(chosen) // rows, most)
    frames = [chosen.iloc[one * rows : (one + 1) * rows] for one in range(number)]
    if form == "skops":
        called = frames if named is not None else [one.to_numpy() for one in frames]
        return _method(model, request), called
    if form == "onnx":
        inputs = model.get_inputs()
        return lambda feed: model.run(None, feed), [_feed(inputs, one) for one in frames]
    arrays = [one.to_numpy(dtype="float32") for one in frames]
    if form == "lightgbm":
        return lambda rows: model.predict(rows, num_threads=1), arrays
    matrix = _import("xgboost").DMatrix
    model.set_param({"nthread": 1})
    names = model.feature_names
    return lambda rows: model.predict(matrix(rows, feature_names=names)), arrays


def _own_columns(model: Any, form: str) -> list[str] | None:
    """Return the columns that a model names, in its order; None where it names none."""
    if form == "onnx":
        names = [one.name for one in model.get_inputs()]
        return names if len(names) > 1 else None
    if form == "lightgbm":
        names = model.feature_name()
        return None if names == [f"Column_{one}" for one in range(len(names))] else names
    told = getattr(model, "feature_names" if form == "xgboost" else "feature_names_in_", None)
    return None if told is None else [str(one) for one in told]


def _feed(inputs: Any, frame: Any) -> Any:
    """Return what ONNX calls a model with: all columns as one input, or each as its own."""
    feed = {}
    for number, one in enumerate(inputs):
        kind = one.type.removeprefix("tensor(").removesuffix(")")
        part = frame if len(inputs) == 1 else frame.iloc[:, number : number + 1]
        feed[one.name] = part.to_numpy(dtype=ONNX_TYPES.get(kind, kind))
    return feed


ONNX_TYPES = {"float": "float32", "double": "float64", "string": "object"}
"""Those whose names numpy does not know."""


def _method(model: Any, request: Any) -> Any:
    names = [request["call"]] if request["call"] else ["predict_proba", "predict", "transform"]
    found = next((getattr(model, one) for one in names if hasattr(model, one)), None)
    if found is not None:
        return found
    raise Unable(f"the model, {type(model).__name__}, has no {' or '.join(names)}")


def _import(name: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0].replace("sklearn", "scikit-learn")
        ours = ("skops", "scikit-learn", "pandas", "pyarrow")
        extra = "mlxkit[gates]" if package in ours else package
        raise Unable(f"needs {package}: pip install '{extra}' ({error})") from None


def _forget_peak() -> None:
    """Let the peak start anew; where the system cannot, it is counted from the start: too much."""
    try:
        descriptor = os.open("/proc/self/clear_refs", os.O_WRONLY)
        os.write(descriptor, b"5")
        os.close(descriptor)
    except OSError:
        pass


def _status(name: str) -> int:
    """Return bytes that Linux tells of this process, 0 where it does not."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            told = dict(line.split(":", 1) for line in file)
    except OSError:
        return 0
    return int(told[name].split()[0]) << 10 if name in told else 0


def _peak() -> int:
    if told := _status("VmHWM"):
        return told
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


if __name__ == "__main__":
    main()
