"""How thorough this run is: LONG_TESTS gives property tests many more examples."""

from __future__ import annotations

import os
from typing import Any

import pytest

LONG = os.environ.get("LONG_TESTS", "") == "1"


def examples(usual: int, thorough: int) -> int:
    """Return how many examples a property test is given in this run."""
    return thorough if LONG else usual


def long(*values: Any) -> Any:
    """Return a case of a parametrized test that only `make test-long` runs."""
    return pytest.param(*values, marks=pytest.mark.long)
