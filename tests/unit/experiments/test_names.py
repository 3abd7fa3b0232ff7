"""Names are the same for the same inputs, and can be said."""

import hashlib
import itertools
import re

from mlxkit.experiments.names import choose_name
from mlxkit.experiments.refs import check_name


def _digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_a_name_is_of_its_digest_alone() -> None:
    names = [choose_name(_digest(number), lambda _: True) for number in range(500)]
    assert names == [choose_name(_digest(number), lambda _: True) for number in range(500)]
    assert len(set(names)) > 450
    for name in names:
        assert re.fullmatch(r"[a-z]+-[a-z]+", name)
        check_name(name)


def test_a_thousand_runs_have_a_thousand_names() -> None:
    taken: set[str] = set()
    for number in range(1000):
        taken.add(choose_name(_digest(number), lambda name: name not in taken))
    assert len(taken) == 1000


def test_there_is_always_another_name() -> None:
    refused = itertools.count()
    name = choose_name(_digest(1), lambda _: next(refused) > 20)
    assert re.fullmatch(r"[a-z]+-[a-z]+-\d+", name)
