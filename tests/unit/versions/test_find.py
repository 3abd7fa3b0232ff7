"""What a user means by the name of a model."""

import pytest

from mlxkit.core.errors import UsageError
from mlxkit.versions.find import Registry, find_model, knows
from mlxkit.versions.grammar import model_named
from mlxkit.versions.state import Model

NAMES = ("top", "a:census", "b:census", "a:only", "a/b:deep")
REGISTRY = Registry("/nowhere", {name: Model(name, [], {}, []) for name in NAMES})


@pytest.mark.parametrize(
    ("name", "folder", "found"),
    [
        ("top", "", "top"), ("top", "a", "top"), ("census", "a", "a:census"),
        ("a:census", "b", "a:census"), ("only", "", "a:only"),
        ("a/b/dvc.yaml:deep", "", "a/b:deep"),
    ],
)  # fmt: skip
def test_the_last_part_of_a_name_will_do(name: str, folder: str, found: str) -> None:
    assert find_model(REGISTRY, name, folder).name == found
    assert knows(REGISTRY, name)


def test_a_name_that_several_have_is_asked_for_in_full() -> None:
    with pytest.raises(UsageError) as caught:
        find_model(REGISTRY, "census")
    assert "a:census, b:census" in str(caught.value.hint)


def test_what_may_be_a_version_or_a_stage() -> None:
    assert model_named("m@1.2.3") == model_named("m@v1.2.3-rc.1") == model_named("m@latest") == "m"
    assert model_named("a/b:m#prod") == "a/b:m"
    for text in ("HEAD@{1}", "m@", "m#", "m", "origin/main", "@", "m@v1", "m#a b"):
        assert model_named(text) is None
