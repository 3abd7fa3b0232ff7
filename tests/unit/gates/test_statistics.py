"""Intervals by Student's t, held against a library's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlxkit.gates.statistics import difference_interval, mean_interval, t_quantile

pytestmark = pytest.mark.filterwarnings("ignore:Precision loss")
CONFIDENCE = st.floats(0.5, 0.999)
VALUES = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


@given(CONFIDENCE, st.integers(1, 200))
def test_quantiles(confidence: float, freedom: int) -> None:
    expected = stats.t.ppf((1 + confidence) / 2, freedom)
    assert t_quantile(confidence, freedom) == pytest.approx(expected, rel=1e-9)


@given(VALUES, CONFIDENCE)
def test_intervals_of_a_mean(values: list[float], confidence: float) -> None:
    found = mean_interval(values, confidence)
    assert found.low <= found.mean <= found.high
    if stats.tstd(values) > 1e-6:
        low, high = stats.ttest_1samp(values, 0).confidence_interval(confidence)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)


@given(VALUES, VALUES, CONFIDENCE)
def test_intervals_of_a_difference_are_never_too_narrow(
    ours: list[float], theirs: list[float], confidence: float
) -> None:
    found = difference_interval(ours, theirs, confidence)
    assert found.low <= found.mean <= found.high
    if min(stats.tstd(ours), stats.tstd(theirs)) > 1e-6:
        welch = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(confidence)
        assert found.low <= welch[0] + 1e-6 and welch[1] - 1e-6 <= found.high


def test_no_difference_at_all() -> None:
    assert difference_interval([1.0, 1.0], [1.0, 1.0], 0.95) == (0, 0, 0)
    assert mean_interval([2.0, 2.0, 2.0], 0.95) == (2, 2, 2)
