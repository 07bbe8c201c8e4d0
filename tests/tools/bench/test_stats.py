"""What samples say."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench.stats import Pair, median, percentile

SAMPLES = st.lists(st.floats(min_value=0, max_value=1e6), min_size=1)


@given(SAMPLES)
def test_it_finds_the_median(samples: list[float]) -> None:
    assert median(samples) == pytest.approx(statistics.median(samples))


@given(SAMPLES, st.floats(min_value=0.01, max_value=1))
def test_it_finds_the_least_sample_that_so_many_do_not_exceed(
    samples: list[float],
    share: float,
) -> None:
    found = percentile(samples, share)
    assert sum(each <= found for each in samples) >= share * len(samples) - 1e-9
    assert sum(each < found for each in samples) < share * len(samples) + 1e-9


def test_it_takes_the_95th_of_a_hundred() -> None:
    assert percentile([float(value) for value in range(100, 0, -1)], 0.95) == 95


def test_it_refuses_to_judge_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_it_compares_medians() -> None:
    assert Pair(ours=(0.03, 0.01, 0.9), bare=(0.01, 0.02, 0.01)).ratio == pytest.approx(3)
