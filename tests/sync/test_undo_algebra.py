"""Decide, undo, deliver and absorb in any order: shown is upstream plus undelivered changes."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services
from reviewapp.annotations.decide.exceptions import StaleSubmission
from reviewapp.annotations.decide.undo import DecidedAgain, TooLate, undo
from reviewapp.annotations.mirror.absorb import absorb
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.deliveries.services import preview_withdrawal, withdraw_change
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import format_value
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import drain
from tests.decisions import submission
from tests.proofs import examples
from tests.sync.delivering import edit_elsewhere
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db

_people = st.sampled_from(["alice", "bob"])
_values = st.fixed_dictionaries(
    {},
    optional={
        "label": st.sampled_from(["logo", "van", "none"]),
        "confidence": st.sampled_from([0.25, 0.75]),
    },
)
_outcomes = st.sampled_from(
    [Decision.Outcome.DECIDED, Decision.Outcome.DECIDED, Decision.Outcome.UNDECIDABLE]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("decide"), _people, _values, _outcomes),
        st.tuples(st.just("undo"), _people, st.integers(0, 2)),
        st.tuples(st.just("withdraw"), st.integers(0, 3)),
        st.tuples(st.just("end hold")),
        st.tuples(st.just("deliver")),
        st.tuples(st.just("absorb")),
        st.tuples(st.just("elsewhere"), _values),
    ),
    min_size=2,
    max_size=9,
)
_documents = itertools.count()


class Desk:
    """One annotation, some people, a lead who withdraws, a worker and a stranger at Mixpeek."""

    def __init__(self, box: Box, client: Client, people: dict[str, User]) -> None:
        self.box, self.client, self.people = box, client, people
        record = client.create_annotation(
            document_id=f"doc_algebra_{next(_documents)}", label="logo", retriever_id="ret_logos"
        )
        absorb([record])
        self.pk = Annotation.objects.get(annotation_id=record.annotation_id).pk

    @property
    def row(self) -> Annotation:
        return Annotation.objects.select_related("decision").get(pk=self.pk)

    def take(self, step: tuple[Any, ...]) -> None:
        acts: dict[str, Callable[..., object]] = {
            "decide": self.decide,
            "undo": self.undo,
            "withdraw": self.withdraw,
            "end hold": self.end_hold,
            "deliver": lambda: drain.drain(self.client),
            "absorb": self.absorb,
            "elsewhere": self.elsewhere,
        }
        acts[step[0]](*step[1:])

    def decide(self, who: str, values: dict[str, Any], outcome: Decision.Outcome) -> None:
        sent = submission(self.row, **values, outcome=outcome, hold=60)
        with suppress(StaleSubmission):
            services.decide(self.pk, sent, actor=self.people[who])

    def undo(self, who: str, back: int) -> None:
        own = list(
            Decision.objects.filter(reviewer=self.people[who], annotation=self.pk).order_by("-id")[
                : back + 1
            ]
        )
        with suppress(TooLate, DecidedAgain):
            for decision in own[back:]:
                undo(decision.pk, actor=self.people[who])

    def withdraw(self, back: int) -> None:
        for change in Change.objects.about(self.row.ref)[back : back + 1]:
            (preview,) = preview_withdrawal([change], actor=self.people["lena"])
            shown = {name: format_value(value) for name, value in self.row.values().items()}
            assert withdraw_change(
                change, actor=self.people["lena"]
            ) is not preview.obstacle.startswith("It is")
            shown |= {shift.name: shift.new for shift in preview.value_changes}
            assert {name: format_value(value) for name, value in self.row.values().items()} == shown

    def end_hold(self) -> None:
        Change.objects.filter(ref=self.row.ref, state="queued").update(due=timezone.now())

    def absorb(self) -> None:
        absorb([self.client.get_annotation(str(self.row.annotation_id))])

    def elsewhere(self, values: dict[str, Any]) -> None:
        if values:
            edit_elsewhere(self.box, self.row, **values)

    def check(self) -> None:
        """Compare what is shown with upstream's last state, and its author with the decisions."""
        row = self.row
        wanted = {name: row.upstream[name] for name in row.values()}
        for change in Change.objects.open_on(row.ref):
            wanted |= {name: value for name, value in change.fields.items() if name in wanted}
        assert row.values() == wanted
        standing = Decision.objects.filter(annotation=row, undo=None).order_by("-id").first()
        assert row.decision == standing
        assert row.reviewer_id == (standing.reviewer_id if standing else None)
        if standing:
            assert row.status == standing.outcome

    def settle(self) -> None:
        """Let everything that is left be delivered, and hold Mixpeek itself against what is shown."""
        self.end_hold()
        drain.drain(self.client)
        self.absorb()
        self.check()
        row = self.row
        there = self.client.get_annotation(str(row.annotation_id))
        assert not Change.objects.open_on(row.ref).exists()
        assert (there.label, there.confidence) == (row.label, row.confidence)
        withdrawn = Change.objects.filter(ref=row.ref, state="withdrawn", cause__isnull=False)
        taken_back = set(Decision.objects.exclude(undo=None).values_list("decision_id", flat=True))
        assert {
            change.cause for change in withdrawn if not change.reason.startswith("replaced")
        } <= taken_back
        reverts = Change.objects.filter(ref=row.ref, verb="revert", state="delivered")
        reverted = {change.base["decision_id"] for change in reverts}
        for change in Change.objects.filter(ref=row.ref, cause__in=taken_back):
            if str(change.cause) in reverted:
                assert (change.verb, change.state) == ("cannot_tell", "delivered")
            else:
                assert (change.state, change.version, change.attempts) == ("withdrawn", None, 0)
        self.check_stamp((there.metadata or {}).get("reviewapp", {}))

    def check_stamp(self, stamp: dict[str, str]) -> None:
        """Hold what our stamp says against the decision that stands, if Mixpeek took that."""
        standing = self.row.decision
        if standing is None:
            assert stamp.get("outcome") != "cannot_tell"
            return
        if Change.objects.filter(cause=standing.decision_id, state="delivered").exists():
            is_undecidable = standing.outcome == Decision.Outcome.UNDECIDABLE
            assert (stamp.get("outcome") == "cannot_tell") == is_undecidable


@hypothesis_settings(
    max_examples=examples(8, 100),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_it_shows_what_mixpeek_has_under_what_is_to_be_delivered(
    alice: User,
    bob: User,
    lena: User,
    box: Box,
    mixpeek_client: Client,
    settings: Settings,
    steps: list[tuple[Any, ...]],
) -> None:
    settings.MIXPEEK_WHO = "metadata"
    Retriever.objects.get_or_create(
        retriever_id="ret_logos", defaults={"name": "logos", "seen_at": timezone.now()}
    )
    with transaction.atomic():
        desk = Desk(box, mixpeek_client, {"alice": alice, "bob": bob, "lena": lena})
        for step in steps:
            desk.take(step)
            desk.check()
        desk.settle()
        transaction.set_rollback(True)
