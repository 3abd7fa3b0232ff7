"""Records to write down."""

from typing import Any

from mlxkit.runs.ledger import Batch
from mlxkit.runs.record import Item, Record, digest, encode


def record(number: int = 0, **fields: Any) -> Record:
    """One like many others."""
    told: dict[str, Any] = {
        "stage": f"s{number}",
        "outcome": "ran",
        "started": f"2026-01-02T03:04:{number % 60:02}.678Z",
        "cmd": "python train.py",
        "deps": (Item("data/in", "a" * 32, 3),),
        "outs": (Item("model", "b" * 31 + f"{number % 10}", 5, sha256="c" * 64, kind="metric"),),
        "params": {"params.yaml": {"lr": 0.1}},
        "host": {"name": "here", "system": "Linux", "cpus": 2},
        "seconds": 1.5,
        "exit_code": 0,
    }
    return Record(**{**told, **fields})


def named(*records: Record) -> dict[str, bytes]:
    """Records as they are kept, by id."""
    return {digest(encode(one)): encode(one) for one in records}


def batch(*records: Record, snapshot: str | None = None) -> Batch:
    """Records to append."""
    return Batch(snapshot, named(*records), "some runs")
