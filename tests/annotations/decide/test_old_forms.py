"""Forms, drafts and decisions from before an update that changed what a form starts with."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.forms import OLD_FORM_NOTICE
from reviewapp.annotations.fields import FIELDS, as_typed
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.audit.models import Event
from reviewapp.audit.presenters.csv_export import export_lines
from tests.decisions import decide, filled_form
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db
MACHINE = "Too blurred\nto tell."


@pytest.fixture
def item() -> Annotation:
    """A proposal with the machine's confidence and reasoning."""
    item = make_annotation(label="logo", confidence=0.31, reasoning=MACHINE)
    make_annotation(item.retriever, label="van")
    return item


def old_base(item: Annotation) -> dict[str, Any]:
    """Return a form's base as it was written before: it did not say what a person gave."""
    base = item.seen()
    del base["given"]
    return base


def old_form(item: Annotation, **typed: str) -> dict[str, Any]:
    """Return what a browser sends of a form that was opened before the update."""
    began = as_typed(item.values(), *FIELDS)
    return filled_form(item) | began | {"base": json.dumps(old_base(item))} | typed


def test_it_asks_again_instead_of_taking_the_machines_words_for_the_persons(
    alice_client: Client, item: Annotation
) -> None:
    sent = old_form(item, choice="van", reasoning=MACHINE.replace("\n", "\r\n"))
    answer = alice_client.post(reverse("decide", args=[item.pk]), sent)
    assert answer.status_code == 409
    assert answer.context["notice"] == OLD_FORM_NOTICE
    form = answer.context["data"]
    assert (form["choice"], form["confidence"], form["reasoning"]) == ("van", "", "")
    assert not Decision.objects.exists()


def test_it_keeps_what_the_person_had_typed(alice_client: Client, item: Annotation) -> None:
    sent = old_form(item, choice="van", confidence="0.9", reasoning="I see wheels.")
    answer = alice_client.post(reverse("decide", args=[item.pk]), sent)
    form = answer.context["data"]
    assert (form["confidence"], form["reasoning"]) == ("0.9", "I see wheels.")
    again = {name: "" if value is None else value for name, value in form.items()}
    assert alice_client.post(reverse("decide", args=[item.pk]), again).status_code == 302
    decision = Decision.objects.get()
    assert (decision.label, decision.confidence, decision.reasoning) == (
        "van",
        0.9,
        "I see wheels.",
    )


def test_it_asks_a_submit_that_had_waited_in_the_browser(
    alice_client: Client, item: Annotation
) -> None:
    answer = alice_client.post(
        reverse("decide", args=[item.pk]), old_form(item), headers={"Accept": "application/json"}
    )
    assert answer.status_code == 409
    assert answer.json() == {"state": "asks", "why": OLD_FORM_NOTICE}


def test_it_opens_a_draft_without_the_machines_words(
    alice_client: Client, alice: User, item: Annotation
) -> None:
    texts = {**as_typed(item.values(), *FIELDS), "choice": "van", "confidence": "0.9"}
    Draft.objects.create(
        annotation=item,
        person=alice,
        decision_id=uuid.uuid4(),
        base=old_base(item),
        typed=texts,
        saved_at=item.seen_at,
    )
    page = alice_client.get(reverse("review", args=[item.pk]))
    form = page.context["data"]
    assert (form["choice"], form["confidence"], form["reasoning"]) == ("van", "0.9", "")
    assert "given" in json.loads(form["base"])
    assert page.context["draft_news"] == OLD_FORM_NOTICE


def test_it_marks_old_decisions_that_repeat_the_machine(
    lena_client: Client, alice: User, item: Annotation
) -> None:
    Annotation.objects.filter(pk=item.pk).update(label="van")
    old = decide(
        item,
        alice,
        reasoning=MACHINE,
        confidence=0.31,
        given=frozenset({"confidence", "reasoning"}),
    )
    own = decide(
        make_annotation(confidence=0.31), alice, confidence=0.31, given=frozenset({"confidence"})
    )
    assert (own.own_words, own.confidence) == (True, 0.31)
    _make_it_old(old)

    page = lena_client.get(reverse("history")).content.decode()
    assert page.count("repeats the machine") == 1
    rows = "".join(export_lines(Event.objects.all())).splitlines()
    assert rows[0].endswith(",machine_words")
    assert [row for row in rows if row.endswith('"confidence, reasoning"')]


def _make_it_old(decision: Decision) -> None:
    """Let a decision be one of an older version; only a test changes a decision."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE annotations_decision DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE annotations_decision SET own_words = false WHERE id = %s", [decision.pk]
        )
        cursor.execute("ALTER TABLE annotations_decision ENABLE TRIGGER USER")
