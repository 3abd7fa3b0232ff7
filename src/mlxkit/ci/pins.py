"""The actions that workflows use, by the id of a commit: a tag can be moved, that cannot."""

from typing import NamedTuple


class Pin(NamedTuple):
    """A commit, and the release that it was when it was looked up in the action's repository."""

    commit: str
    version: str


PINS = {
    # Not before 6.0.2, which made the pushed tag a lightweight one: `deploy` would not find it.
    "actions/checkout": Pin("3d3c42e5aac5ba805825da76410c181273ba90b1", "v7.0.1"),
    "actions/setup-python": Pin("5fda3b95a4ea91299a34e894583c3862153e4b97", "v7.0.0"),
    "actions/upload-artifact": Pin("bbbca2ddaa5d8feaa63e36b76fdaad77386f024f", "v7.0.0"),
    "actions/download-artifact": Pin("3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", "v8.0.1"),
}
