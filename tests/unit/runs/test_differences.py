"""What differs between two environments."""

from mlxkit.runs.differences import Difference, differences, read

BEFORE = {
    "python": {"implementation": "CPython", "version": "3.11.2"},
    "platform": {"system": "Linux", "machine": "x86_64", "libc": "glibc 2.36"},
    "distributions": {"numpy": "1.26.4", "scikit-learn": "1.5.0", "old": "1"},
    "cuda": None,
    "conda": ["mkl-2023.1-h1_0"],
}
NOW = {
    "python": {"implementation": "CPython", "version": "3.12.1"},
    "platform": {"system": "Linux", "machine": "aarch64", "libc": None},
    "distributions": {"numpy": "1.26.4", "scikit-learn": "1.6.1", "new": "2"},
    "cuda": {"driver": "535.1"},
    "conda": ["mkl-2024.0-h1_0"],
}


def test_what_changed_python_first() -> None:
    assert differences(BEFORE, NOW) == [
        Difference("python", "python", "CPython 3.11.2", "CPython 3.12.1"),
        Difference("platform", "libc", "glibc 2.36", None),
        Difference("platform", "machine", "x86_64", "aarch64"),
        Difference("cuda", "driver", None, "535.1"),
        Difference("conda", "mkl", "2023.1-h1_0", "2024.0-h1_0"),
        Difference("distribution", "new", None, "2"),
        Difference("distribution", "old", "1", None),
        Difference("distribution", "scikit-learn", "1.5.0", "1.6.1"),
    ]
    assert str(differences(BEFORE, NOW)[-1]) == "1.5.0 -> 1.6.1"
    assert str(differences(BEFORE, NOW)[-2]) == "1 -> none"
    assert differences(NOW, NOW) == []


def test_a_stranger_s_environment_is_only_data() -> None:
    odd = {"python": [], "platform": "x", "distributions": {"a": 1, "b": None}, "conda": [1, "x"]}
    assert differences(odd, odd) == []
    assert Difference("distribution", "a", "1", None) in differences(odd, {})
    assert read(None) == read(b"[1]") == read(b"{") == {}
