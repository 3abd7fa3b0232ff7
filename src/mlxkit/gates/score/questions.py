"""The 28 tests, and what counts as evidence of each; the words are ours, the tests the paper's.

E. Breck, S. Cai, E. Nielsen, M. Salib, D. Sculley: The ML Test Score, IEEE Big Data 2017.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlxkit.gates.score.evidence import Evidence, Found

Asks = Callable[[Evidence], Found]
NOTHING = Found(0)
DATA, MODEL, INFRASTRUCTURE, MONITORING = PARTS = (
    "data",
    "model",
    "infrastructure",
    "monitoring",
)


class Question(NamedTuple):
    """One test: its part, what it asks, how evidence is found, and what would earn the points.

    `effort` orders what is missing, cheapest first; 0 is what nothing can earn yet. A workflow that
    runs `again` makes half a point a whole one.
    """

    part: str
    text: str
    asks: Asks
    earn: str
    effort: int
    again: str = "mlx gate"


Such = Callable[[Mapping[str, Any]], bool]


def _any(settings: Mapping[str, Any]) -> bool:
    return True


def rule(*kinds: str, such: Such = _any, part: str = "") -> Asks:
    """Ask for a rule of these kinds: it passed, half; and a workflow judges its gate, whole."""

    def asks(evidence: Evidence) -> Found:
        best = NOTHING
        for one in evidence.kept:
            if one.kind not in kinds or not such(one.settings) or (part and part not in one.parts):
                continue
            file = evidence.workflow.judges(one.gate)
            said = f"{one.kind} in gate {one.gate}"
            found = Found(1, f"{said}, {file}") if file else Found(0.5, said)
            best = max(best, found, key=lambda each: each.points)
        return best

    return asks


def _tests(evidence: Evidence) -> Found:
    file = evidence.workflow.tests
    if file and evidence.tested:
        return Found(1, f"tests name all code of stages, {file}")
    return NOTHING


def _run(evidence: Evidence) -> Found:
    if not evidence.whole_run:
        return NOTHING
    file = evidence.workflow.repro
    return Found(1, f"run records, {file}") if file else Found(0.5, "run records of all stages")


def _tuned(evidence: Evidence) -> Found:
    if evidence.experiments < 2:
        return NOTHING
    said, file = f"{evidence.experiments} experiments", evidence.workflow.sweeps
    return Found(1, f"{said}, {file}") if file else Found(0.5, said)


def _canary(evidence: Evidence) -> Found:
    model = next((name for name, many in evidence.stages_promoted_to.items() if many > 1), "")
    if not model:
        return NOTHING
    said, file = f"{model} has been in several stages", evidence.workflow.deploys
    return Found(1, f"{said}, {file}") if file else Found(0.5, said)


def _rollback(evidence: Evidence) -> Found:
    if not evidence.rolled_back:
        return NOTHING
    said, file = "a rollback in the audit log", evidence.workflow.deploys
    return Found(1, f"{said}, {file}") if file else Found(0.5, said)


def _none(evidence: Evidence) -> Found:
    return NOTHING


def _over(kind: type) -> Such:
    return lambda told: any(isinstance(one, kind) for one in told["over"].values())


def _without(told: Mapping[str, Any]) -> bool:
    return any(name.startswith("without") for name in told["over"])


def _line(gate: str, text: str) -> str:
    return f"gates: {{{gate}: [{{{text}}}]}}"


_TABLE = "path: data/train.parquet"
_METRIC = 'metric: "metrics.json:pr_auc"'
_WATCHING = "nothing: mlx does not watch what serves yet"
_UNTOLD = "nothing: no record of mlx's tells it"
_CODE = "a workflow that runs the tests, and tests that name each Python file of `deps`"
_REPRO = "mlx repro, so that run records tell how all of the lock was made"

QUESTIONS = (
    Question(DATA, "expected features are in a schema", rule("schema", "data"),
             _line("training", f"data: {{{_TABLE}, nulls: {{age: 0}}}}"), 1),
    Question(DATA, "every feature is useful", rule("baseline", such=_without),
             _line("test", f'baseline: {{{_METRIC}, over: {{without_age: "metrics/without_age'
                   '.json:pr_auc"}}'), 4),
    Question(DATA, "no feature costs more than it gains", rule("cost"),
             _line("test", f"cost: {{{_METRIC}, against: main, more: 40%, for: 0.001}}"), 2),
    Question(DATA, "features meet their requirements", rule("schema"),
             _line("training", f"schema: {{{_TABLE}, schema: schemas/train.yaml}}"), 3),
    Question(DATA, "privacy is protected", _none, _UNTOLD, 0),
    Question(DATA, "new features can be added quickly", _run, _REPRO, 2, "mlx repro"),
    Question(DATA, "feature code is tested", _tests, _CODE, 5, ""),
    Question(MODEL, "model changes are reviewed",
             rule("approval", such=lambda told: told["not_author"]),
             _line("deployment", "approval: {from: [ann@example.org], not_author: true}"), 2),
    Question(MODEL, "offline metrics agree with online ones", _none, _WATCHING, 0),
    Question(MODEL, "hyperparameters were tuned", _tuned, "mlx exp run -S 'train.rate=0.1,0.2'", 2,
             "mlx exp run"),
    Question(MODEL, "the effect of an old model is known", rule("baseline", such=_over(dict)),
             _line("test", f'baseline: {{{_METRIC}, over: {{old: {{{_METRIC}, at: v1}}}}}}'), 1),
    Question(MODEL, "a simpler model is not better", rule("baseline", such=_over(str)),
             _line("test", f'baseline: {{{_METRIC}, over: {{linear: "linear.json:pr_auc"}}}}'), 1),
    Question(MODEL, "quality is sufficient on important slices",
             rule("slices", such=lambda told: told["worst"] is not None),
             _line("test", "slices: {file: slices.json, metric: recall, worst: 0.3}"), 1),
    Question(MODEL, "groups of people are treated alike",
             rule("slices", such=lambda told: told["gap"] is not None),
             _line("test", "slices: {file: slices.json, metric: recall, gap: 0.2}"), 1),
    Question(INFRASTRUCTURE, "training is reproducible",
             rule("reproducible", part="rebuild"),
             _line("deployment", "reproducible: {rebuild: true}"), 2),
    Question(INFRASTRUCTURE, "model code is unit-tested", _tests, _CODE, 5, ""),
    Question(INFRASTRUCTURE, "the pipeline is tested end to end", _run, _REPRO, 2,
             "mlx repro"),
    Question(INFRASTRUCTURE, "quality is validated before serving",
             rule("threshold", "base", "baseline", "noise", "seeds"),
             _line("deployment", f"threshold: {{{_METRIC}, min: 0.6}}"), 1),
    Question(INFRASTRUCTURE, "single predictions can be inspected", rule("noise"),
             _line("test", "noise: {metric: average_precision, predictions: "
                   "predictions/test.parquet, against: main}"), 3),
    Question(INFRASTRUCTURE, "a model is staged before it serves everyone", _canary,
             "mlx model promote NAME@VERSION --to staging, then --to prod", 3, "mlx model fetch"),
    Question(INFRASTRUCTURE, "models can be rolled back", _rollback,
             "mlx model rollback NAME STAGE, tried once", 3, "mlx model fetch"),
    *(
        Question(MONITORING, text, _none, _WATCHING, 0)
        for text in (
            "changes of dependencies are noticed",
            "inputs meet the data's requirements",
            "training and serving see the same features",
            "models are not stale",
            "the model is numerically stable",
            "computing performance does not regress",
            "prediction quality does not regress",
        )
    ),
)  # fmt: skip
