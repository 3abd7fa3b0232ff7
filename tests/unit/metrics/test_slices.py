"""Which slices a metrics file holds, for gates, reports and model cards alike."""

from mlxkit.metrics.slices import is_named_so, judged_files, slices_of


def test_groups_of_slices_slices_alone_and_both_with_a_total() -> None:
    f, m = {"acc": 1}, {"acc": 2}
    for values, titles in (
        ({"sex": {"f": f, "m": m}}, ["sex=f", "sex=m"]),
        ({"f": f, "m": m}, ["f", "m"]),
        ({"acc": 3, "sex": {"f": f}}, ["sex=f"]),
        ({"a": {"b": {"c": f}}}, ["a.b=c"]),
        ({"sex": {"none": {}}}, ["sex=none"]),
        ({"acc": 1}, []), ([], []), (1, []),
    ):  # fmt: skip
        assert [one.title for one in slices_of(values)] == titles


def test_files_of_slices_are_known_by_name_or_by_a_rule() -> None:
    assert [is_named_so(one) for one in ("m/Test_Slices.json", "slices/test.json")] == [True, False]
    gates = {"t": [{"slices": {"file": "./m/by_sex.json"}}, {"threshold": {}}], "u": []}
    assert judged_files(gates) == {"m/by_sex.json"}
