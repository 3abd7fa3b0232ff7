"""Reasons and results in words and in the contract's JSON."""

import pytest
from tests.unit.pipeline.parts import stage

from mlxkit.cli.describe import error_json, reason_json, reason_text, reasons_text, result_json
from mlxkit.core.errors import MlxError, ProjectError
from mlxkit.pipeline.plan import Reason
from mlxkit.pipeline.result import Result

KINDS = [
    "new", "cmd-changed", "dep-changed", "param-changed", "out-changed", "out-missing", "upstream",
    "forced", "always", "env-changed",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_can_be_said(kind: str) -> None:
    text = reason_text(Reason(kind, "thing"))
    assert text and "{}" not in text
    assert reasons_text([Reason(kind, "thing")]) == text
    assert reason_json(Reason(kind, "thing")) == {"kind": kind, "what": "thing"}


def test_details_are_said(self: None = None) -> None:
    assert reason_text(Reason("param-changed", "lr", "1 -> 2")) == "parameter lr (1 -> 2)"
    assert reason_json(Reason("dep-changed", "in", "missing")) == {
        "kind": "dep-changed", "what": "in", "detail": "missing"
    }  # fmt: skip


def test_reasons_of_one_kind_are_told_together_and_many_are_counted() -> None:
    reasons = [
        Reason("dep-changed", "a"),
        Reason("out-missing", "o"),
        *(Reason("dep-changed", f"b{n}") for n in range(40)),
    ]
    assert reasons_text(reasons) == "changed: a, b0 and 39 more; output missing: o"
    assert reasons_text([]) == ""


def test_an_error_as_a_document() -> None:
    error = ProjectError("is wrong", hint="correct it", where="dvc.yaml:3")
    assert error_json(error) == {
        "code": "project", "message": "is wrong", "hint": "correct it", "where": "dvc.yaml:3"
    }  # fmt: skip


def test_a_result_as_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    result = Result(
        stage("s", ["in"], ["o"]), "failed", (Reason("new", "s"),), 1.23456, "id", MlxError("no"),
        "/p/log"
    )  # fmt: skip
    assert result_json(result) == {
        "stage": "p/dvc.yaml:s",
        "outcome": "failed",
        "reasons": [{"kind": "new", "what": "s"}],
        "seconds": 1.235,
        "run": "id",
        "error": {"code": "failed", "message": "no", "hint": None, "where": None},
        "log": "p/log",
    }
