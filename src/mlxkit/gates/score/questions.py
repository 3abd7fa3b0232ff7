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

    `effort` orders what is missing, cheapest first; 0 is what nothing can earn yet.
    """

    part: str
    text: str
    asks: Asks
    earn: str
    effort: int


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
_REPRO = "mlx repro, and a workflow that runs it: mlx ci init"

QUESTIONS = (
    Question(DATA, "what features must look like is in a schema", rule("schema", "data"),
             _line("training", f"data: {{{_TABLE}, nulls: {{age: 0}}}}"), 1),
    Question(DATA, "every feature is of use", rule("baseline", such=_without),
             _line("test", f'baseline: {{{_METRIC}, over: {{without_age: "metrics/without_age'
                   '.json:pr_auc"}}'), 4),
    Question(DATA, "no feature costs more than it gains", rule("cost"),
             _line("test", f"cost: {{{_METRIC}, against: main, more: 40%, for: 0.001}}"), 2),
    Question(DATA, "features keep to the rules for them", rule("schema"),
             _line("training", f"schema: {{{_TABLE}, schema: schemas/train.yaml}}"), 3),
    Question(DATA, "people's privacy is kept", _none, _UNTOLD, 0),
    Question(DATA, "a new feature gets into the model quickly", _run, _REPRO, 2),
    Question(DATA, "all code that makes features is tested", _tests, _CODE, 5),
    Question(MODEL, "who changes a model has it reviewed", rule("approval"),
             _line("deployment", "approval: {from: [ann@example.org], not_author: true}"), 2),
    Question(MODEL, "metrics here go with what is wanted there", _none, _WATCHING, 0),
    Question(MODEL, "hyperparameters were tuned", _tuned, "mlx exp run -S 'train.rate=0.1,0.2'", 2),
    Question(MODEL, "it is known what an old model costs", rule("baseline", such=_over(dict)),
             _line("test", f'baseline: {{{_METRIC}, over: {{old: {{{_METRIC}, at: v1}}}}}}'), 1),
    Question(MODEL, "a simpler model is not as good", rule("baseline", such=_over(str)),
             _line("test", f'baseline: {{{_METRIC}, over: {{linear: "linear.json:pr_auc"}}}}'), 1),
    Question(MODEL, "it is good enough on slices that matter",
             rule("slices", such=lambda told: told["worst"] is not None),
             _line("test", "slices: {file: slices.json, metric: recall, worst: 0.3}"), 1),
    Question(MODEL, "groups of people are served alike",
             rule("slices", such=lambda told: told["gap"] is not None),
             _line("test", "slices: {file: slices.json, metric: recall, gap: 0.2}"), 1),
    Question(INFRASTRUCTURE, "training comes out the same again",
             rule("reproducible", part="rebuild"),
             _line("deployment", "reproducible: {rebuild: true}"), 2),
    Question(INFRASTRUCTURE, "the model's code is unit-tested", _tests, _CODE, 5),
    Question(INFRASTRUCTURE, "the whole pipeline is run as a test", _run, _REPRO, 2),
    Question(INFRASTRUCTURE, "quality is judged before a model serves",
             rule("threshold", "base", "baseline", "noise", "seeds"),
             _line("deployment", f"threshold: {{{_METRIC}, min: 0.6}}"), 1),
    Question(INFRASTRUCTURE, "single predictions can be looked into", rule("noise"),
             _line("test", "noise: {metric: average_precision, predictions: "
                   "predictions/test.parquet, against: main}"), 3),
    Question(INFRASTRUCTURE, "a model serves a few before it serves all", _canary,
             "mlx model promote NAME@VERSION --to staging, then --to prod", 3),
    Question(INFRASTRUCTURE, "a model that serves can be rolled back", _rollback,
             "mlx model rollback NAME STAGE, tried once", 3),
    *(
        Question(MONITORING, text, _none, _WATCHING, 0)
        for text in (
            "a change of what it depends on is told",
            "inputs are held to what data must be",
            "training and serving see the same features",
            "the model is not too old",
            "its numbers stay sound",
            "it is as fast as it was",
            "its predictions are as good as they were",
        )
    ),
)  # fmt: skip
