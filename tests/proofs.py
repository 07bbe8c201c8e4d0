"""How thorough this run is: LONG_TESTS gives property tests many more examples."""

from __future__ import annotations

import os

LONG = os.environ.get("LONG_TESTS", "") == "1"


def examples(usual: int, thorough: int) -> int:
    """Return how many examples a property test is given in this run."""
    return thorough if LONG else usual
