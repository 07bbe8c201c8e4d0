"""The item an address names."""

from __future__ import annotations

from django.http import Http404

from reviewapp.annotations import standing
from reviewapp.annotations.item import loaded
from reviewapp.annotations.models import Annotation

_MOST_KEY = 2**63 - 1


def item_or_404(pk: int) -> Annotation:
    """Return the annotation with what the review page needs of its neighbours; raises `Http404`."""
    found = loaded(pk=pk) if pk <= _MOST_KEY else []
    if not found:
        raise Http404
    return found[0]


def to_decide_or_404(pk: int) -> Annotation:
    """Return the annotation with what deciding on it needs, which is less than what its page shows."""
    found = standing.now(pk=pk) if pk <= _MOST_KEY else []
    if not found:
        raise Http404
    return found[0]
