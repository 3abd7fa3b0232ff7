"""What strace writes, read."""

from mlxkit.trace.events import Event, gather
from mlxkit.trace.strace import read


def _read(text: str) -> list[Event]:
    return list(read(text.splitlines(keepends=True), "/top/work", "/top"))


def _told(text: str) -> set[tuple[str, str]]:
    return {(one.kind, one.what) for one in _read(text)}


def test_files_opened() -> None:
    text = r"""
7 openat(AT_FDCWD</top/work>, "in.csv", O_RDONLY|O_CLOEXEC) = 3</top/work/in.csv>
7 openat(AT_FDCWD</top/work>, "none.csv", O_RDONLY) = -1 ENOENT (No such file or directory)
7 openat(4</top/other>, "a b\303\244\n\"q\"", O_RDONLY) = 3</top/other/x>
7 open("/top/log", O_WRONLY|O_CREAT|O_APPEND, 0666) = 3</top/log>
7 openat(AT_FDCWD, "both", O_RDWR) = 3</top/work/both>
7 openat(AT_FDCWD, "new", O_RDWR|O_CREAT|O_TRUNC, 0600) = 3</top/work/new>
7 openat(AT_FDCWD, ".", O_RDONLY|O_DIRECTORY) = 3</top/work>
7 openat(AT_FDCWD</top/work>, "/link/in", O_RDONLY) = 3</top/real/in>
"""
    assert _told(text) == {
        ("read", "/top/work/in.csv"),
        ("read", '/top/other/a bä\n"q"'),
        ("write", "/top/log"),
        ("read", "/top/work/both"),
        ("write", "/top/work/both"),
        ("write", "/top/work/new"),
        ("read", "/top/real/in"),
    }


def test_processes_and_their_folders() -> None:
    text = """
7 chdir("sub") = 0
7 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD <unfinished ...>
8 openat(AT_FDCWD, "of-child", O_RDONLY <unfinished ...>
7 <... clone resumed>, child_tidptr=0x7f) = 8
8 <... openat resumed>) = 3</top/work/sub/of-child>
8 chdir("..") = 0
8 rename("a", "b") = 0
7 unlink("c") = 0
7 clone3({flags=CLONE_VM|CLONE_THREAD, stack=0x7}, 88) = 9
9 getdents64(3</top/work/sub>, 0x55 /* 3 entries */, 32768) = 80
7 fchdir(5</top>) = 0
7 execve("./run", ["./run", "now"], 0x7ffd /* 3 vars */) = 0
7 +++ exited with 0 +++
"""
    found = _read(text)
    assert {(one.kind, one.what) for one in found} == {
        ("read", "/top/work/sub/of-child"),
        ("read", "/top/work/a"),
        ("write", "/top/work/a"),
        ("write", "/top/work/b"),
        ("write", "/top/work/sub/c"),
        ("list", "/top/work/sub"),
        ("read", "/top/run"),
        ("start", "/top/run now"),
    }
    assert next(one.pid for one in found if one.kind == "list") == 7, "a thread is its process"


def test_connections() -> None:
    text = """
7 connect(3<socket:[1]>, {sa_family=AF_INET, sin_port=htons(443), sin_addr=inet_addr("192.0.2.1")}, 16) = -1 EINPROGRESS (Operation now in progress)
7 connect(3, {sa_family=AF_INET6, sin6_port=htons(80), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 0
7 connect(3, {sa_family=AF_UNIX, sun_path="/run/nscd/socket"}, 110) = -1 ENOENT (No such file or directory)
7 sendto(3, "x", 1, 0, NULL, 0) = 1
"""  # noqa: E501
    assert _told(text) == {("connect", "192.0.2.1:443"), ("connect", "[2001:db8::1]:80")}


def test_what_a_stage_wrote_itself_is_no_input() -> None:
    events = [
        Event("write", 1, "/top/tmp"),
        Event("read", 1, "/top/tmp"),
        Event("read", 1, "/top/state"),
        Event("write", 1, "/top/state"),
    ]
    assert list(gather(events).reads) == ["/top/state"]


def test_lines_that_were_cut() -> None:
    assert _read('7 openat(AT_FDCWD, "x", O_RDO\n7\n\n--- SIGCHLD ---\n9 <... open resumed>') == []
