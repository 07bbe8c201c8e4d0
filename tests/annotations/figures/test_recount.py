"""What figures count always equals a recount of the decisions themselves."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from reviewapp.annotations.decide.undo import undo
from reviewapp.annotations.decisions.filters import (
    ConfidenceBand,
    DecisionFilter,
    Outcome,
    Seen,
    Standing,
)
from reviewapp.annotations.decisions.overrides import count_overrides
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change
from tests.decisions import decide
from tests.factories import make_annotation, make_retriever
from tests.people import make_person
from tests.proofs import examples

LABELS = ("logo", "fake", "Can't tell")

# Each column of the counted decisions, from the decisions and what belongs to them.
RECOUNT = """
    SELECT
        d.id, d.created_at, d.reviewer_id, a.retriever_id, d.retriever_version,
        CASE
            WHEN d.outcome = 'undecidable' THEN 'undecidable'
            WHEN d.label IS NOT DISTINCT FROM d.base ->> 'label' THEN 'confirmed'
            WHEN d.base ->> 'decision' IS NULL THEN 'relabelled'
            ELSE 'corrected'
        END,
        coalesce(d.base ->> 'label', ''), d.label, (d.base ->> 'confidence')::float8,
        abs(d.confidence - (d.base ->> 'confidence')::float8),
        d.base ->> 'decision' IS NULL
            AND d.base ->> 'label' <> ''
            AND coalesce(d.base ->> 'label' = a.proposed ->> 'label', false),
        round(d.seconds * 10)::bigint,
        u.id IS NOT NULL,
        coalesce(c.state, ''),
        CASE c.state
            WHEN 'delivered' THEN round(extract(epoch FROM c.settled_at - d.created_at) * 10)::bigint
        END
    FROM annotations_decision d
    JOIN annotations_annotation a ON a.id = d.annotation_id
    LEFT JOIN annotations_undo u ON u.decision_id = d.id
    LEFT JOIN outbox_change c ON c.cause = d.decision_id
    ORDER BY d.id
"""
COUNTED = """
    SELECT
        decision_id, created_at, reviewer_id, retriever_id, version, effect, label_seen, label,
        confidence_seen, moved, is_on_machines_label, tenths, is_undone, delivery, delivery_tenths
    FROM annotations_counteddecision ORDER BY decision_id
"""

# One filter of each kind.
FILTERS: list[dict[str, Any]] = [
    *({"outcome": value} for value in Outcome.values),
    *({"standing": value} for value in Standing.values),
    *({"band": value} for value in ConfidenceBand.values),
    *({"label_from": label} for label in LABELS),
    *({"label_to": label} for label in LABELS),
    *({"delivery": state} for state in Change.State.values),
    {"seen": Seen.MACHINE},
    {"retriever": "ret_vans"},
    {"retriever": "none"},
    {"retriever": "ret_vans", "version": 2},
    {"moved": 0.25},
    {"q": "Blue"},
]


def rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def make_history(seed: int, steps: int) -> None:
    """Let two people decide, undo and send as the seed says, on a few items."""
    chance = random.Random(seed)
    people = [make_person(name, "reviewer") for name in ("ann", "ben")]
    vans = make_retriever("Vans", retriever_id="ret_vans", version=2)
    items = []
    for number in range(4):
        confidence = chance.choice([None, 0.0, 0.3, 0.7, 0.9, 1.0])
        label = chance.choice(LABELS)
        title = chance.choice(["Blue", "Red"])
        item = make_annotation(vans, label=label, confidence=confidence, title=title)
        if number == 3:
            Annotation.objects.filter(pk=item.pk).update(retriever=None, proposed={})
        items.append(item)

    for _step in range(steps):
        values: dict[str, Any] = {
            "label": chance.choice(LABELS),
            "confidence": chance.choice([None, 0.2, 0.5, 0.95]),
            "seconds": chance.choice([None, 0.04, 1.25, 3.0]),
        }
        if chance.random() < 0.2:
            values = {"outcome": "undecidable", "reasoning": "dark"}
        actor = chance.choice(people)
        decision = decide(chance.choice(items), actor, hold=60, **values)

        action = chance.choice(["none", "undo", "deliver", "refuse", "move"])
        if action == "undo":
            undo(decision.pk, actor=actor)
        elif action in {"deliver", "refuse"}:
            state = "delivered" if action == "deliver" else "refused"
            settled_at = timezone.now() + timedelta(seconds=chance.randint(0, 90))
            changes = Change.objects.filter(cause=decision.decision_id, state="queued")
            changes.update(state=state, settled_at=settled_at)
        elif action == "move":
            Annotation.objects.filter(pk=decision.annotation_id).update(retriever=vans)


class RecountTest(TestCase):
    """Random decisions, counted twice."""

    @settings(max_examples=examples(8, 200), deadline=None)
    @given(st.integers(0, 2**32), st.integers(1, 15))
    def test_it_counts_what_a_recount_counts(self, seed: int, steps: int) -> None:
        make_history(seed, steps)
        assert rows(COUNTED) == rows(RECOUNT)

        for values in FILTERS:
            chosen = DecisionFilter(**values)
            counted = set(chosen.counted().values_list("pk", flat=True))
            assert counted == set(chosen.decisions().values_list("pk", flat=True)), values

    @settings(max_examples=examples(4, 100), deadline=None)
    @given(st.integers(0, 2**32))
    def test_overrides_are_those_of_a_recount(self, seed: int) -> None:
        make_history(seed, 12)
        recount: Counter[tuple[str, str]] = Counter()
        about_machine = DecisionFilter(seen=Seen.MACHINE, standing=Standing.NOT_UNDONE)
        for decision in about_machine.decisions():
            decided = decision.label if decision.outcome == Decision.Outcome.DECIDED else ""
            recount[decision.base["label"], decided] += 1

        counted: Counter[tuple[str, str]] = Counter()
        for override in count_overrides(DecisionFilter()).labels:
            counted[override.label, ""] += override.undecidable
            for label, number in override.by_label.items():
                counted[override.label, label] += number
        assert +counted == recount
