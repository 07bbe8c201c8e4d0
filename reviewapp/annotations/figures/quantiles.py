"""How long most of some times are: the median, and what nine tenths do not exceed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Aggregate


class Quantiles(Aggregate):
    """The median and the 90th percentile of a field, as an array; null without any value."""

    function = "percentile_disc"
    template = "%(function)s(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = ArrayField(models.BigIntegerField())


@dataclass(frozen=True, kw_only=True)
class Times:
    """Half of some times are no longer than `median`, nine tenths no longer than `slow`; seconds.

    Both are None without any time.
    """

    median: float | None = None
    slow: float | None = None


def times_of(tenths: Sequence[int] | None) -> Times:
    """Return the times that `Quantiles` found in tenths of a second."""
    if tenths is None:
        return Times()
    median, slow = tenths
    return Times(median=median / 10, slow=slow / 10)
