"""One comment, kept up to date, over HTTP: whose it is, races, limits, faults, no token shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.commands import Result
from tests.support.github_api import GitHub, User, serve
from tests.support.tools import Tools

from mlxkit.ci.comment import LIMIT, Posted, mark, post
from mlxkit.ci.github import TRIES, Api
from mlxkit.core.errors import RemoteError, UsageError

SECRET = "ghs_notForAnybody"
MARK = mark("report")
REPOSITORY = "ann/census"
ROBOT = "github-actions[bot]"


@pytest.fixture
def github() -> Iterator[GitHub]:
    with serve(GitHub(tokens={SECRET: User("ann")})) as one:
        yield one


def api(github: GitHub, waited: list[float] | None = None) -> Api:
    slept = [] if waited is None else waited
    return Api(github.url, SECRET, sleep=slept.append)


def put(github: GitHub, text: str = "better") -> Posted:
    return post(api(github), REPOSITORY, 12, text, "report")


def test_created_updated_unchanged(github: GitHub) -> None:
    assert put(github).action == "created"
    assert put(github, "worse").action == "updated"
    assert put(github, "worse\n").action == "unchanged"
    assert github.bodies() == [f"{MARK}\nworse\n"]


def test_only_its_own_is_touched(github: GitHub) -> None:
    github.add("bo", f"{MARK}\ncopied the mark")
    github.add("ann", "a word of my own")
    github.add("ann", f"{mark('speed')}\nof another job")
    github.add("ann", f"> {MARK}\nquoted")
    before = github.bodies()
    assert put(github).action == "created"
    assert put(github, "again").action == "updated"
    assert github.bodies() == [*before, f"{MARK}\nagain\n"]


def test_a_workflows_token_finds_its_own_comment(github: GitHub) -> None:
    github.tokens[SECRET] = User(ROBOT, "Bot")
    others = [f"{MARK}\ncopied the mark", f"{MARK}\nof a bot that repeats what it reads"]
    github.add("bo", others[0])
    github.add("echo[bot]", others[1], kind="Bot")
    assert put(github).action == "created"
    assert put(github, "again").action == "updated"
    assert github.bodies() == [*others, f"{MARK}\nagain\n"]


def test_where_nobody_tells_whose_the_token_is_it_is_a_robots(github: GitHub) -> None:
    github.graphql = ""
    github.tokens[SECRET] = User(ROBOT, "Bot")
    github.add("bo", f"{MARK}\ncopied the mark")
    assert put(github).action == "created"
    assert put(github, "again").action == "updated"
    assert len(github.bodies()) == 2


def test_it_is_found_behind_hundreds(github: GitHub) -> None:
    for number in range(230):
        github.add("bo", f"{number}")
    put(github)
    for number in range(30):
        github.add("bo", f"late {number}")
    assert put(github, "again").action == "updated"
    assert sum(body.startswith(MARK) for body in github.bodies()) == 1
    assert "per_page=100&page=3" in " ".join(github.asked)


def test_of_several_the_first_is_kept(github: GitHub) -> None:
    for text in ("one", "two", "three"):
        github.add("ann", f"{MARK}\n{text}\n")
    done = put(github, "new")
    assert (done.action, done.removed) == ("updated", 2)
    assert github.bodies() == [f"{MARK}\nnew\n"]


def test_two_at_once_leave_one(github: GitHub) -> None:
    """The other one's appears between our look and our writing."""

    class Late(Api):
        def call(self, method: str, path: str, content: object = None) -> object:
            if method == "POST":
                github.add("ann", f"{MARK}\nof the other\n")
            return super().call(method, path, content)

    done = post(Late(github.url, SECRET), REPOSITORY, 12, "mine", "report")
    assert done.removed == 1
    assert github.bodies() == [f"{MARK}\nmine\n"]


def test_one_that_is_deleted_meanwhile_is_written_anew(github: GitHub) -> None:
    put(github)

    class Late(Api):
        def call(self, method: str, path: str, content: object = None) -> object:
            if method == "PATCH":
                github.comments.clear()
            return super().call(method, path, content)

    done = post(Late(github.url, SECRET), REPOSITORY, 12, "new", "report")
    assert done.action == "created"
    assert github.bodies() == [f"{MARK}\nnew\n"]


def test_too_long_or_empty_is_refused_unsent(github: GitHub) -> None:
    for text in ("", " \n", "x" * LIMIT, "\U0001f600" * (LIMIT // 2)):
        with pytest.raises(UsageError):
            put(github, text)
    assert github.asked == []
    longest = "x" * (LIMIT - len(MARK) - 2)
    assert put(github, longest).action == "created"


@pytest.mark.parametrize("marker", ["", "a b", "a-->", "x" * 65, "a--b", "-->"])
def test_a_mark_cannot_end_itself(marker: str) -> None:
    with pytest.raises(UsageError):
        mark(marker)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        ((500, {}, ""), 1.0),
        ((503, {"Retry-After": "7"}, ""), 7.0),
        ((429, {"Retry-After": "3"}, "{}"), 3.0),
        ((403, {"Retry-After": "9"}, '{"message": "secondary rate limit"}'), 9.0),
        ((403, {}, '{"message": "You have exceeded a secondary rate limit"}'), 60.0),
        ((403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0"}, "{}"), 1.0),
        ((502, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, ""), 0.0),
    ],
)
def test_patience(github: GitHub, fault: tuple[int, dict[str, str], str], wait: float) -> None:
    github.faults.append(fault)
    waited: list[float] = []
    post(api(github, waited), REPOSITORY, 12, "text", "report")
    assert waited == [wait]
    assert len(github.bodies()) == 1


def test_a_server_that_never_recovers_ends_it(github: GitHub) -> None:
    github.faults += [(500, {}, "")] * TRIES
    waited: list[float] = []
    with pytest.raises(RemoteError, match="answers 500"):
        post(api(github, waited), REPOSITORY, 12, "text", "report")
    assert waited == [1.0, 2.0, 4.0, 8.0]
    assert len(github.asked) == TRIES


def test_it_does_not_sleep_for_an_hour(github: GitHub) -> None:
    github.faults.append((429, {"Retry-After": "3600"}, ""))
    waited: list[float] = []
    with pytest.raises(RemoteError) as caught:
        post(api(github, waited), REPOSITORY, 12, "text", "report")
    assert waited == []
    assert caught.value.hint == "GitHub asks to wait: try again later"


def test_a_link_elsewhere_gets_no_token(github: GitHub) -> None:
    away = '<http://127.0.0.1:9/steal>; rel="next"'
    github.faults.append((200, {"Link": away}, '["first"]'))
    github.add("bo", "second")
    found = list(api(github).pages("/repos/ann/census/issues/12/comments"))
    assert found == ["first"]
    assert [one.rpartition("&")[2] for one in github.asked] == ["page=1", "page=2"]


def test_a_redirection_is_not_followed(github: GitHub) -> None:
    github.faults.append((301, {"Location": f"{github.url}/elsewhere"}, ""))
    with pytest.raises(RemoteError, match="answers 301"):
        put(github)
    assert len(github.asked) == 1


@pytest.mark.parametrize("answer", ["no json", '{"a": 1}', "<html>", '"text"'])
def test_answers_that_make_no_sense(github: GitHub, answer: str) -> None:
    github.faults.append((200, {}, answer))
    with pytest.raises(RemoteError):
        put(github)


@pytest.mark.parametrize("url", ["ftp://x", "file:///etc/passwd", "api.github.com", "http://", ""])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(UsageError):
        Api(url, SECRET)


def comment(tools: Tools, folder: Path, github: GitHub, *args: str, **env: str) -> Result:
    known = {"GITHUB_TOKEN": SECRET, "GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY}
    done = tools.mlx(folder, "ci", "comment", *args, **{**known, **env})
    assert SECRET not in done.stdout + done.stderr
    return done


def test_as_a_command(tools: Tools, tmp_path: Path, github: GitHub) -> None:
    (tmp_path / "r.md").write_text("**passed**\n")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    done = comment(tools, tmp_path, github, "--file", "r.md", GITHUB_EVENT_PATH=str(event)).ok()
    assert done.stdout.startswith("comment on #12 created: https://github.com/ann/census/pull/12")
    again = comment(tools, tmp_path, github, "--file", "r.md", "--pr", "12", "--json").ok()
    assert again.json["action"] == "unchanged"
    assert github.bodies() == [f"{MARK}\n**passed**\n"]


def test_enterprise_has_its_api_elsewhere(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / "r.md").write_text("text")
    with serve(GitHub(tokens={SECRET: User("ann")}), "/api/v3") as enterprise:
        env = {"GITHUB_TOKEN": "", "GH_TOKEN": SECRET, "GITHUB_API_URL": f"{enterprise.url}/"}
        comment(tools, tmp_path, enterprise, "--file", "r.md", "--pr", "12", **env).ok()
        assert len(enterprise.bodies()) == 1
        enterprise.tokens[SECRET] = User(ROBOT, "Bot")
        enterprise.graphql = "/api/graphql"
        enterprise.add("echo[bot]", f"{MARK}\nof another", kind="Bot")
        comment(tools, tmp_path, enterprise, "--file", "r.md", "--pr", "12", **env).ok()
        assert len(enterprise.bodies()) == 3


def test_refusals_of_the_server(tools: Tools, tmp_path: Path, github: GitHub) -> None:
    (tmp_path / "r.md").write_text("text")
    told = []
    for token, user, number in (
        ("ghs_other", None, "12"),
        (SECRET, User(ROBOT, "Bot", may_write=False), "12"),
        (SECRET, User("ann"), "99"),
    ):
        if user is not None:
            github.tokens[SECRET] = user
        args = ("--file", "r.md", "--pr", number)
        done = comment(tools, tmp_path, github, *args, GITHUB_TOKEN=token)
        assert done.code == 6
        assert token not in done.stderr
        told.append(done.stderr)
    assert "GitHub answers 401: Bad credentials\nhint: the token is not valid" in told[0]
    assert "answers 403" in told[1] and "pull-requests: write" in told[1]
    assert "answers 404: Not Found" in told[2]


@pytest.mark.parametrize(
    ("args", "env", "code", "said"),
    [
        (("--pr", "12"), {"GITHUB_TOKEN": ""}, 6, "there is no token"),
        (("--pr", "12"), {"GITHUB_TOKEN": "a\nb"}, 2, "characters that no token has"),
        ((), {}, 2, "not about a pull request"),
        (("--pr", "-3"), {}, 2, "--pr is -3"),
        (("--pr", "12"), {"GITHUB_REPOSITORY": "a/b/../c"}, 2, "GITHUB_REPOSITORY is"),
        (("--pr", "12"), {"GITHUB_REPOSITORY": ""}, 2, "is not set"),
        (("--pr", "12", "--file", "none.md"), {}, 2, "none.md: cannot be read"),
        (("--pr", "12", "--file", "latin.md"), {}, 2, "latin.md: the text is not UTF-8"),
        (("--pr", "12"), {}, 2, "the comment is empty"),
        ((), {"GITHUB_EVENT_PATH": "broken.json"}, 2, "document cannot be read"),
        ((), {"GITHUB_EVENT_PATH": "list.json"}, 2, "no JSON object"),
        (("--pr", "12", "--marker", "a b"), {}, 2, "cannot mark a comment"),
    ],
)
def test_bad_input(
    args: tuple[str, ...], env: dict[str, str], code: int, said: str, tools: Tools, tmp_path: Path
) -> None:
    (tmp_path / "r.md").write_text("text")
    (tmp_path / "latin.md").write_bytes(b"\xe9")
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "list.json").write_text("[1]")
    done = comment(tools, tmp_path, GitHub(url="http://127.0.0.1:9"), *args, **env)
    assert (done.code, said in done.stderr) == (code, True), str(done)
    assert len(done.stderr.splitlines()) == 2


def test_a_server_that_is_not_there(github: GitHub) -> None:
    waited: list[float] = []
    with pytest.raises(RemoteError, match="cannot be reached"):
        post(Api("http://127.0.0.1:9", SECRET, sleep=waited.append), REPOSITORY, 12, "x", "report")
    assert waited == [1.0, 2.0, 4.0, 8.0]
