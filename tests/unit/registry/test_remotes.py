"""A configuration read in another place still names the same folders."""

from mlxkit.registry.remotes import absolute

CONFIG = """\
[core]
    remote = near
['remote "near"']
    url = ../../storage
['remote "far"']
    url = s3://bucket/x
['remote "whole"']
    url = /srv/data
[remote "plain"]
    url = sub
"""


def test_relative_folders_become_whole_paths() -> None:
    said = absolute(CONFIG, "/work/project/.dvc")
    assert said.splitlines() == [
        "['remote \"near\"']", "    url = /work/storage",
        '[remote "plain"]', "    url = /work/project/.dvc/sub",
    ]  # fmt: skip


def test_what_is_no_configuration_says_nothing() -> None:
    assert absolute("no section\n", "/x") == ""
