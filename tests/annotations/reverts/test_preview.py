"""The preview of a revert reads the values of a few decisions at a time."""

from __future__ import annotations

import tracemalloc
import uuid

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.annotations.reverts import services
from reviewapp.annotations.reverts.plan import Effect
from tests.factories import make_annotation, make_retriever

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def make_decisions(count: int, alice: User) -> None:
    """Make so many decisions in force with payloads of 20 kB, which are not delivered."""
    retriever = make_retriever()
    for _ in range(count):
        annotation = make_annotation(retriever, payload={"text": "x" * 20_000})
        decision = Decision.objects.create(
            decision_id=uuid.uuid4(),
            annotation=annotation,
            reviewer=alice,
            outcome="decided",
            base={},
            **annotation.values(),
        )
        Annotation.objects.filter(pk=annotation.pk).update(decision=decision)


def memory_of_preview() -> tuple[services.Preview, int]:
    """Return the preview of all decisions, and the most bytes that it held at once."""
    tracemalloc.start()
    preview = services.preview(Decision.objects.all(), listed=2)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return preview, peak


def test_it_needs_no_more_memory_for_more_decisions(alice: User) -> None:
    make_decisions(100, alice)
    _few, needed = memory_of_preview()
    make_decisions(300, alice)
    many, needed_for_many = memory_of_preview()

    assert many.counts == {Effect.NO_CHANGE: 400}
    assert len(many.keys) == 400
    assert [decision.pk for decision, _plan in many.newest] == many.keys[:2]
    # While a part is read, the one before it is still there.
    assert needed_for_many < 2 * needed
