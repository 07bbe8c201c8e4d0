"""The outbox as a state machine: actors in any order, checked by the drill's oracle.

Real tables, the real services, the real client; only the far side of the wire is in this process.
"""

from __future__ import annotations

import itertools
import json
import uuid
from contextlib import nullcontext, suppress
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reviewapp.accounts import roles
from reviewapp.accounts.models import User
from reviewapp.annotations.decide import services, undo
from reviewapp.annotations.decide.exceptions import StaleSubmission, TakenBack
from reviewapp.annotations.decide.forms import DecisionForm, initial_data
from reviewapp.annotations.decide.submission import Submission
from reviewapp.annotations.decide.undo import DecidedAgain, TooLate
from reviewapp.annotations.mirror.absorb import absorb
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.deliveries import services as deliveries_services
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.rate_limit.token_bucket import Rank
from reviewapp.retrievers.models import Retriever
from reviewapp.sync.deliver import bulk, drain
from tests.people import make_person
from tests.tools.drill.far_side import AFTER, BEFORE, READ, WRITE, Crash, FarSide
from tests.tools.drill.tables import ask
from tools.drill import verifier
from tools.drill.checks.delivery import check_last_values, check_mirror, check_settled
from tools.drill.clients.reviewer import fill_form
from tools.drill.collect import World, world_of
from tools.drill.findings import Violation
from tools.drill.journal import ACKNOWLEDGED, TURNED_DOWN, ForeignEdit, JournalEntries, Submit
from tools.drill.journal import TakenBack as TakenBackLine
from tools.drill.plan import Step

# Four at once are worth a bulk call.
_ITEMS = 4
_RETRIEVER = "ret_drill"
_PEOPLE = ("alice", "bob")
# True only when nothing is under way any more.
_IN_THE_END = {check_settled, check_last_values, check_mirror}
_SOON = [promise for promise, check in verifier.CHECKS.items() if check not in _IN_THE_END]

WEATHER = st.one_of(
    st.tuples(st.just(READ), st.just("before"), st.sampled_from(BEFORE)),
    st.tuples(st.just(WRITE), st.just("before"), st.sampled_from(BEFORE)),
    st.tuples(st.just(READ), st.just("after"), st.sampled_from(AFTER)),
    st.tuples(st.just(WRITE), st.just("after"), st.sampled_from(AFTER)),
)
LABELS, SURENESS = st.sampled_from(["logo", "text", "face"]), st.sampled_from([0.25, 0.5, 1.0])
ITEMS, PEOPLE = st.integers(0, _ITEMS - 1), st.sampled_from(_PEOPLE)
# Whatever is held is due when time has passed, and can be taken back before.
HOLDS = st.sampled_from([0, 3600])
CHOSEN = st.sets(st.sampled_from(["label", "confidence", "reasoning", "payload"]))


class Outbox(RuleBasedStateMachine):
    """Two people, two annotations, workers that may die, another client, an unreliable network."""

    def __init__(self) -> None:
        super().__init__()
        self._atomic = transaction.atomic()
        self._atomic.__enter__()
        self.far = FarSide()
        self.client = self.far.client()
        self.people: dict[str, User] = {name: make_person(name, roles.REVIEWER) for name in _PEOPLE}
        self.people["lena"] = make_person("lena", roles.LEAD)
        Retriever.objects.create(retriever_id=_RETRIEVER, name="drill", seen_at=timezone.now())
        with tracing(Origin.PULL), acting(None):
            annotations = [
                self.client.create_annotation(
                    document_id=f"doc_{number}",
                    label="logo",
                    confidence=0.5,
                    reasoning="the machine's",
                    retriever_id=_RETRIEVER,
                )
                for number in range(_ITEMS)
            ]
            absorb(annotations)
        self.ids = [record.annotation_id for record in annotations]
        self.kept, self.numbers, self.clock = (
            JournalEntries(),
            itertools.count(1),
            itertools.count(1),
        )
        self.sent: list[tuple[str, int, Submission]] = []
        self.undone: set[str] = set()
        self.old_forms: dict[int, dict[str, str]] = {}

    def teardown(self) -> None:
        """Let the weather clear, deliver all, pull, and look at everything; then forget it."""
        try:
            self.far.weather = self.far.meanwhile = None
            Pause.objects.all().delete()
            for _ in range(20):
                self._later()
                self._drain()
            self._pull()
            assert self._broken(list(verifier.CHECKS)) == {}
        finally:
            connection.set_rollback(True)
            self._atomic.__exit__(None, None, None)
            self.client.close()
            self.far.close()

    # What people do.

    @rule(
        item=ITEMS,
        who=PEOPLE,
        chosen=CHOSEN,
        label=LABELS,
        sure=SURENESS,
        old=st.booleans(),
        hold=HOLDS,
        cannot=st.integers(0, 7),
    )
    def decide(
        self,
        item: int,
        who: str,
        chosen: set[str],
        label: str,
        sure: float,
        old: bool,
        hold: int,
        cannot: int,
    ) -> None:
        """Submit a form, one that is open for long as well."""
        row = Annotation.objects.get(annotation_id=self.ids[item])
        name = f"1-{next(self.numbers)}"
        opened = self.old_forms.get(item) if old else None
        texts = {
            "label": label,
            "confidence": str(sure),
            "reasoning": f"({name})",
            "payload": json.dumps({"step": name}),
        }
        typed = (
            {each: texts[each] for each in sorted(chosen)}
            if cannot
            else {"reasoning": f"cannot tell ({name})"}
        )
        data, meant, words = fill_form(
            opened or _opened(row),
            _step(name, item, typed, cannot_tell=not cannot),
        )

        form = DecisionForm({**data, "decision_id": str(uuid.uuid4())}, annotation=row)
        assert form.is_valid(), form.errors
        self._submit(name, who, row, form.submission(hold=hold), meant, words)

    def _submit(
        self,
        name: str,
        who: str,
        row: Annotation,
        submission: Submission,
        typed: dict[str, Any],
        words: dict[str, Any],
    ) -> None:
        said, sent = ACKNOWLEDGED, float(next(self.clock))
        try:
            with tracing(Origin.WEB):
                services.decide(row.pk, submission, actor=self.people[who])
            self.sent.append((who, row.pk, submission))
        except StaleSubmission:
            said = TURNED_DOWN
        self.kept.submits.append(
            Submit(
                decision_id=str(submission.decision_id), step=name, ref=row.ref, person=who, outcome=said, typed=typed,
                words=words, cannot_tell=submission.outcome == Decision.Outcome.UNDECIDABLE, sent=sent,
                answered=float(next(self.clock)), answers=[said],
            )
        )  # fmt: skip

    @rule(who=PEOPLE, chosen=CHOSEN, label=LABELS, sure=SURENESS)
    def decide_on_all(self, who: str, chosen: set[str], label: str, sure: float) -> None:
        """Submit a form of each item, so that there is a backlog."""
        for item in range(_ITEMS):
            self.decide(item, who, chosen | {"reasoning"}, label, sure, False, 0, 1)

    @rule(item=ITEMS)
    def open_form(self, item: int) -> None:
        """Leave a form open, to be submitted when it is old."""
        row = Annotation.objects.get(annotation_id=self.ids[item])
        self.old_forms[item] = _opened(row)

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 100))
    def replay(self, which: int) -> None:
        """Send a form again that was acknowledged before."""
        who, pk, submission = self.sent[which % len(self.sent)]
        undone = str(submission.decision_id) in self.undone
        with tracing(Origin.WEB), pytest.raises(TakenBack) if undone else nullcontext():
            again = services.decide(pk, submission, actor=self.people[who])
            assert again.decision_id == submission.decision_id

    @precondition(lambda self: self.sent)
    @rule()
    def undo(self) -> None:
        """Take the last decision back, if there is still time."""
        who, _, submission = self.sent[-1]
        decision = Decision.objects.get(decision_id=submission.decision_id)
        with suppress(TooLate, DecidedAgain), tracing(Origin.WEB):
            undo.undo(decision.pk, actor=self.people[who])
            self.undone.add(str(submission.decision_id))

    @rule(which=st.integers(0, 100))
    def withdraw(self, which: int) -> None:
        """Have a lead take back what can be."""
        if open_ones := list(
            Change.objects.filter(state__in=["queued", "conflict", "refused"]).order_by("id"),
        ):
            change = open_ones[which % len(open_ones)]
            with tracing(Origin.WEB):
                if deliveries_services.withdraw_change(change, actor=self.people["lena"]):
                    self.undone.add(str(change.cause))

    @rule()
    def retry(self) -> None:
        """Have a lead hurry what failed."""
        for change in Change.objects.filter(state="queued", attempts__gt=0):
            with tracing(Origin.WEB):
                deliveries_services.retry_change(change, actor=self.people["lena"])

    @rule(who=PEOPLE)
    def take_theirs(self, who: str) -> None:
        """Give up the newest of what waits for a person."""
        if waiting := Change.objects.attention().first():
            with tracing(Origin.WEB):
                assert services.take_theirs(waiting, actor=self.people[who])

    # What the far side does.

    @rule(item=ITEMS, chosen=CHOSEN.filter(bool), label=LABELS, sure=SURENESS)
    def edit_elsewhere(self, item: int, chosen: set[str], label: str, sure: float) -> None:
        """Edit upstream, behind our back."""
        name = f"stranger {next(self.numbers)}"
        whole: dict[str, Any] = {
            "label": label,
            "confidence": sure,
            "reasoning": name,
            "payload": {"by": name},
        }
        values = {each: whole[each] for each in sorted(chosen)}
        self.far.edit(self.ids[item], values)
        self.kept.foreign.append(
            ForeignEdit(step=name, annotation_id=self.ids[item], values=values),
        )

    # What workers do.

    @rule()
    def deliver_in_peace(self) -> None:
        """Deliver what is due."""
        self._drain()

    @rule(weather=WEATHER)
    def deliver_in_bad_weather(self, weather: tuple[str, str, str]) -> None:
        """Deliver what is due, and something goes wrong with one request, or with us."""
        self.far.weather = weather
        self._drain()
        self.far.weather = None

    @rule(
        item=ITEMS,
        chosen=CHOSEN.filter(bool),
        label=LABELS,
        weather=st.none() | WEATHER.filter(lambda one: one[0] == WRITE),
    )
    def deliver_in_a_race(
        self,
        item: int,
        chosen: set[str],
        label: str,
        weather: tuple[str, str, str] | None,
    ) -> None:
        """Deliver what is due, and a stranger edits between what is read and what is written."""
        self.far.meanwhile = lambda: self.edit_elsewhere(item, chosen, label, 0.5)
        self.far.weather = weather
        self._drain()
        self.far.meanwhile = self.far.weather = None

    @rule(item=ITEMS, chosen=CHOSEN, label=LABELS, weather=st.none() | WEATHER)
    def deliver_in_bulk(
        self,
        item: int,
        chosen: set[str],
        label: str,
        weather: tuple[str, str, str] | None,
    ) -> None:
        """Deliver a worthwhile backlog in bulk, with any fault and another client in between."""
        if chosen:
            self.far.meanwhile = lambda: self.edit_elsewhere(item, chosen, label, 0.5)
        self.far.weather = weather
        with suppress(Crash), tracing(Origin.WORKER):
            drain.deliver_in_bulk(
                bulk.plan_backlog(Rank.INTERACTIVE), Rank.INTERACTIVE, self.client
            )
        self.far.meanwhile = self.far.weather = None

    @rule()
    def wait(self) -> None:
        """Let time pass until every postponed or abandoned change is due."""
        self._later()

    @rule()
    def pull(self) -> None:
        """Bring the mirror up to date."""
        self._pull()

    def _later(self) -> None:
        Change.objects.filter(state=Change.State.QUEUED).update(due=timezone.now())

    def _drain(self) -> None:
        with suppress(Crash), tracing(Origin.WORKER):
            drain.drain(self.client)

    def _pull(self) -> None:
        with tracing(Origin.PULL), acting(None):
            absorb(self.client.list_annotations(limit=500).items)

    # What must hold after each of them.

    @invariant()
    def keeps_its_promises(self) -> None:
        """Nothing lost, doubled, out of order, overwritten in silence or missing from the history."""
        assert self._broken(_SOON) == {}

    def _broken(self, promises: list[str]) -> dict[str, list[Violation]]:
        world = self._world()
        found = {promise: verifier.CHECKS[promise](world)[1] for promise in promises}
        return {promise: faults for promise, faults in found.items() if faults}

    def _world(self) -> World:
        self.kept.taken_back = [
            TakenBackLine(step="", decision_id=decision_id) for decision_id in sorted(self.undone)
        ]
        return world_of(
            ask,
            self.far.records(),
            self.kept,
            stamped=settings.MIXPEEK_WHO == "metadata",
        )


def _opened(row: Annotation) -> dict[str, str]:
    """Return what a browser holds of a form that was just opened."""
    data = initial_data(row, now=timezone.now())
    return {name: "" if value is None else str(value) for name, value in data.items()}


def _step(name: str, item: int, typed: dict[str, str], *, cannot_tell: bool) -> Step:
    return Step(
        name=name,
        item=item,
        typed=typed,
        cannot_tell=cannot_tell,
        way="once",
        yields=False,
        takes_theirs=False,
        undoes=False,
        races=False,
        edit=None,
    )
