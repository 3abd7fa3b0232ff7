"""Which metrics count as a model's: what was made of it, else what its stage led to."""

from tests.support.lineage import Repository, md5

from mlxkit.lineage.query import Asked, answer
from mlxkit.lineage.recorded import recipe_ids_at
from mlxkit.registry.metrics import measured


def _told(repo: Repository) -> tuple[set[str], set[str]]:
    commit = repo.commit()
    index = repo.index()
    recipes = recipe_ids_at(index, commit)
    found = answer(index, Asked(md5("m"), "model"), recipes=recipes)
    paths = measured(index, found, recipes)
    index.close()
    return paths


def test_what_was_made_of_the_model(repo: Repository) -> None:
    repo.lock(
        train="data:1 > model:m log:l", score="model:m > test.json:t", count="log:l > log.json:c"
    )
    assert _told(repo) == ({"test.json"}, set())


def test_predictions_that_its_stage_wrote_are_measured_elsewhere(repo: Repository) -> None:
    repo.lock(train="data:1 > model:m predictions:p", score="predictions:p > test.json:t")
    assert _told(repo) == (set(), {"test.json"})
