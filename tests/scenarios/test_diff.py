"""What changed in the data, as a user asks for it."""

import json
from html.parser import HTMLParser

import pytest
from tests.support.project import Project

OLD = "id,name,age,city\n1,Ann,31,Bern\n2,Bob,32,Basel\n3,Cyd,33,Bern\n"
NEW = "id,name,age,city\n1,Ann,31,Bern\n3,Cyd,34,Genf\n4,Dan,,Bern\n"


@pytest.fixture
def people(project: Project) -> Project:
    """A table at three places, each in two versions: tracked, in a tracked folder, in Git."""
    for path in ("people.csv", "folder/deep/people.csv", "plain.csv"):
        project.write(path, OLD)
    project.write("folder/other.txt", "1\n")
    project.dvc("add", "-q", "people.csv", "folder").ok()
    project.tools.commit(project.root, "old")
    project.git("tag", "v1")
    for path in ("people.csv", "folder/deep/people.csv", "plain.csv"):
        project.write(path, NEW)
    project.write("folder/other.txt", "1\n" * 600)
    project.dvc("add", "-q", "people.csv", "folder").ok()
    project.tools.commit(project.root, "new")
    return project


def test_files(people: Project) -> None:
    assert people.mlx("diff").ok().stdout == "no tracked file differs: HEAD -> working tree\n"
    result = people.mlx("diff", "v1").ok()
    assert result.stdout.splitlines() == [
        "Modified:",
        f"    folder/  {len(OLD) + 2} B -> 1.3 kB",
        f"    folder/deep/people.csv  {len(OLD)} B -> {len(NEW)} B",
        "    folder/other.txt  2 B -> 1.2 kB",
        f"    people.csv  {len(OLD)} B -> {len(NEW)} B",
        "",
        "files: 3 modified",
    ]
    assert result.stderr == ""


def test_added_deleted_renamed(people: Project) -> None:
    people.sh("mv folder/other.txt folder/renamed.txt; rm people.csv; echo 1 > folder/new")
    lines = people.mlx("diff").ok().stdout.splitlines()
    assert "    folder/other.txt -> folder/renamed.txt  1.2 kB" in lines
    assert lines[:2] == ["Added:", "    folder/new  2 B"]
    assert lines[-1] == "files: 1 added, 1 deleted, 1 renamed"


def test_what_the_cache_lacks(people: Project) -> None:
    people.sh("rm -r .dvc/cache")
    result = people.mlx("diff", "v1").ok()
    assert "Not in cache:" in result.stdout
    assert result.stderr.startswith("folder/: its list of files is not in the cache")
    assert "Not in cache" not in people.mlx("diff", "v1", "--hide-missing").ok().stdout


def test_exit_codes(people: Project) -> None:
    assert people.mlx("diff", "--exit-code").code == 0
    assert people.mlx("diff", "v1", "--exit-code", "-q").code == 3
    rows = ("diff", "v1", "--rows", "people.csv", "--exit-code", "-q")
    assert people.mlx(*rows).code == 3
    assert people.mlx("diff", "--rows", "people.csv", "--exit-code").code == 0
    assert people.mlx("diff", "nope").code == 2
    assert people.mlx("diff", "--targets", "nope").code == 2
    assert people.mlx("diff", "--key", "id").code == 2


@pytest.mark.parametrize("path", ["people.csv", "folder/deep/people.csv", "plain.csv"])
@pytest.mark.parametrize("revs", ["v1", "v1 HEAD", "HEAD~1 main"])
def test_rows(path: str, revs: str, people: Project) -> None:
    found = people.mlx("diff", *revs.split(), "--rows", path, "--key", "id", "--json").ok().json
    assert found["rows"] == {"old": 3, "new": 3, "added": 1, "removed": 1, "changed": 1}
    assert found["changed"] == [
        {
            "key": {"id": 3},
            "cells": {"age": {"old": 33, "new": 34}, "city": {"old": "Bern", "new": "Genf"}},
        }
    ]
    assert [one["row"]["name"] for one in found["added"]] == ["Dan"]
    assert [one["row"]["name"] for one in found["removed"]] == ["Bob"]
    age = next(one for one in found["shifts"] if one["column"] == "age")
    assert (age["old"]["nulls"], age["new"]["nulls"], age["old"]["mean"]) == (0, 1, 32.0)


def test_rows_for_people(people: Project) -> None:
    text = people.mlx("diff", "v1", "--rows", "people.csv", "--key", "id").ok().stdout
    assert "rows: 3 -> 3: 1 added, 1 removed, 1 changed (matched by id)" in text
    assert 'age: 33 -> 34, city: "Bern" -> "Genf"' in text
    markdown = people.mlx("diff", "v1", "--rows", "people.csv", "--md").ok().stdout
    assert people.mlx("diff", "v1", "--md", "--json").code == 2
    assert "| id | name | age | city |" in markdown


def test_rows_of_other_places(people: Project) -> None:
    args = ("--key", "id", "--json")
    for given in (
        ("--rows", "v1:people.csv"),
        ("--rows", "v1:people.csv", "--against", "HEAD:plain.csv"),
        ("--rows", "v1:folder/deep/people.csv", "--against", "people.csv"),
    ):
        found = people.mlx("diff", *given, *args).ok().json
        assert found["rows"]["changed"] == 1
        assert found["old"] == given[1]
    inner = people.mlx("diff", "v1", "--rows", "people.csv", *args, cwd="folder/deep").ok().json
    assert inner["rows"]["changed"] == 1
    twice = people.mlx("diff", "v1", "--rows", "v1:people.csv")
    assert twice.code == 2


def test_two_files_outside_of_any_project(people: Project) -> None:
    outside = people.root.parent / "outside"
    outside.mkdir()
    (outside / "a.csv").write_text(OLD)
    (outside / "b.csv").write_text(NEW)
    result = people.tools.mlx(outside, "diff", "--rows", "a.csv", "--against", "b.csv", "--json")
    assert result.ok().json["rows"]["added"] == 2
    assert people.tools.mlx(outside, "diff", "--rows", "a.csv").code == 4


def test_rows_that_are_not_there(people: Project) -> None:
    def told(*args: str) -> str:
        result = people.mlx("diff", *args)
        assert result.code in (1, 2), str(result)
        return result.stderr

    assert "is not in both tables" in told("v1", "--rows", "people.csv", "--key", "nope")
    assert "no file 'x.csv' in v1" in told("v1", "--rows", "x.csv")
    assert "is a folder in v1" in told("v1", "--rows", "folder")
    assert "no table by its name" in told("v1", "--rows", "folder/other.txt")
    people.sh("rm people.csv")
    assert "mlx checkout people.csv" in told("v1", "--rows", "people.csv")
    people.sh("rm -r .dvc/cache")
    assert "'people.csv' of v1 is not in the cache" in told("v1", "HEAD", "--rows", "people.csv")
    assert "mlx fetch" in told("v1", "--rows", "folder/deep/people.csv")


def test_without_duckdb(people: Project) -> None:
    people.write("hide/duckdb.py", "raise ImportError\n")
    result = people.mlx("diff", "v1", "--rows", "people.csv", PYTHONPATH=str(people.root / "hide"))
    assert result.code == 1
    assert "pip install 'mlxkit[tables]'" in result.stderr


def test_nothing_is_left_behind_or_changed(people: Project) -> None:
    people.mlx("status").ok()
    people.sh("chmod -R a-w .dvc/cache; git status --porcelain > ../before; mkdir ../tmp")
    tmp = people.root.parent / "tmp"
    people.mlx("diff", "v1", "--rows", "plain.csv", TMPDIR=str(tmp)).ok()
    people.mlx("diff", "v1", TMPDIR=str(tmp)).ok()
    assert list(tmp.iterdir()) == []
    people.sh("git status --porcelain | diff ../before -; test ! -e .tmp; chmod -R u+w .dvc/cache")


class Page(HTMLParser):
    """Checks that each element is closed and that nothing is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "link", "iframe")
        assert not {"src", "href", "onclick"} & {name for name, _ in attrs}
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


EVIL = "<script>alert(1)</script>&\"'\x1b[31m|`*"


@pytest.mark.parametrize("rows", [True, False])
def test_a_page(rows: bool, people: Project) -> None:
    name = "a<b>&c.csv"
    for text in ("1", "2"):
        cells = f"{EVIL}{text}".replace('"', '""')
        people.write(name, f'id,"{cells}",x\n1,"{cells}",{text}\n')
        people.dvc("add", "-q", name).ok()
        people.tools.commit(people.root, "evil")
    given = ["--rows", name, "--key", "id"] if rows else []
    result = people.mlx("diff", "HEAD~1", *given, "--html", "page.html").ok()
    assert (result.stdout, result.stderr) == ("", "wrote page.html\n")
    page = Page()
    page.feed(people.read("page.html"))
    page.close()
    assert page.open == []
    assert any(name in word for word in page.words)
    text = people.mlx("diff", "HEAD~1", *given).ok().stdout
    assert "\x1b" not in text
    if rows:
        assert any("<script>" in word for word in page.words)
        markdown = people.mlx("diff", "HEAD~1", *given, "--md").ok().stdout
        assert "<script>" not in markdown and "\x1b" not in markdown
        json.loads(people.mlx("diff", "HEAD~1", *given, "--json").ok().stdout)


@pytest.mark.parametrize("rev", ["v1..HEAD", "^HEAD", "v1...HEAD"])
def test_a_range_is_no_revision(people: Project, rev: str) -> None:
    for args in (["diff", rev], ["diff", "HEAD", rev], ["pin", f"{rev}:people.csv"]):
        refused = people.mlx(*args)
        assert refused.code == 2, str(refused)
        assert f"'{rev}' is no revision" in refused.stderr
