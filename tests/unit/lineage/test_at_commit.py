"""The same bytes were made in several ways: a commit's own record says which."""

from tests.support.lineage import Repository, md5

from mlxkit.lineage.query import Asked, answer
from mlxkit.lineage.recorded import recipe_ids_at


def test_only_what_the_commit_records_counts(repo: Repository) -> None:
    repo.lock(train="x:1 > model:m (lr=0.1)", measure="model:m test:1 > metrics:80")
    first = repo.commit()
    repo.lock(train="x:2 y:1 > model:m (lr=0.2)", measure="model:m test:2 > metrics:81")
    second = repo.commit()
    repo.commit("nothing of it")
    index = repo.index()

    def asked(commit: str) -> tuple[list[str | None], list[dict[str, object]], set[str], set[str]]:
        found = answer(index, Asked(md5("m")), recipes=recipe_ids_at(index, commit))
        return (
            [one.commit for one in found.producers],
            [dict(one.params) for one in found.producers],
            {one.md5 for one in found.upstream()},
            {one.md5 for one in found.downstream()},
        )

    one = {"params.yaml": {"lr": 0.1}}
    two = {"params.yaml": {"lr": 0.2}}
    assert asked(first) == ([first], [one], {md5("1")}, {md5("80")})
    assert asked(second) == ([second], [two], {md5("2"), md5("1")}, {md5("81")})
    assert asked("HEAD") == asked(second)
    assert [one.commit for one in answer(index, Asked(md5("m"))).producers] == [first]
    index.close()
