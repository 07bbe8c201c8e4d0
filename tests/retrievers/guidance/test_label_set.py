"""Versions of the labels that reviewers choose from, and what a decision may then say."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.db import ProgrammingError, connection
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide.exceptions import LabelNotOffered
from reviewapp.annotations.models import Decision
from reviewapp.audit.actions import Action
from reviewapp.audit.models import Event
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import BadLabels, set_labels, write_guidelines
from reviewapp.retrievers.models import LabelSet, Retriever
from tests.decisions import decide, filled_form
from tests.factories import make_annotation, make_retriever

pytestmark = pytest.mark.django_db

LOGO, NONE = Label(value="logo", title="A logo", colour="green"), Label(value="no logo")


@pytest.fixture
def closed(retriever: Retriever, adam: User) -> LabelSet:
    label_set = set_labels(
        retriever.pk, [LOGO, NONE], other_allowed=False, base_version=0, actor=adam
    )
    assert label_set is not None
    return label_set


def test_it_makes_the_next_version_and_keeps_the_one_before(
    retriever: Retriever, closed: LabelSet, adam: User
) -> None:
    second = set_labels(retriever.pk, [NONE], other_allowed=True, base_version=1, actor=adam)
    retriever.refresh_from_db()
    assert (closed.version, second and second.version) == (1, 2)
    assert retriever.label_set == second
    assert LabelSet.objects.get(retriever=retriever, version=1).labels == closed.labels


def test_it_makes_no_version_for_nothing(
    retriever: Retriever, closed: LabelSet, adam: User
) -> None:
    assert (
        set_labels(retriever.pk, [LOGO, NONE], other_allowed=False, base_version=1, actor=adam)
        is None
    )
    assert (
        set_labels(make_retriever().pk, [], other_allowed=True, base_version=0, actor=adam) is None
    )


def test_it_is_in_the_history_of_the_retriever(retriever: Retriever, closed: LabelSet) -> None:
    event = Event.objects.about(retriever.ref)[0]
    assert (event.action, event.actor_name, event.retriever_id) == (
        Action.LABELS_SET,
        "adam",
        retriever.retriever_id,
    )
    assert event.changes["labels"] == [None, closed.labels]


@pytest.mark.parametrize("sql", ["UPDATE {} SET other_allowed = true", "DELETE FROM {}"])
def test_it_is_never_changed_afterwards(sql: str, closed: LabelSet) -> None:
    with (
        pytest.raises(ProgrammingError, match="Cannot update or delete"),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.format(LabelSet._meta.db_table))


@pytest.mark.parametrize(
    ("labels", "row"),
    [
        ([Label(value="")], 0),
        ([Label(value=" ")], 0),
        ([Label(value="x" * 101)], 0),
        ([LOGO, Label(value="logo", title="again")], 1),
        ([Label(value="x", title="x" * 101)], 0),
        ([Label(value="x", description="x" * 501)], 0),
        ([Label(value="x", colour="url(evil)")], 0),
        ([LOGO, Label(value="\x00")], 1),
        ([Label(value=str(n)) for n in range(51)], 50),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_it_says_which_row_is_wrong(
    labels: list[Label], row: int, retriever: Retriever, adam: User
) -> None:
    with pytest.raises(BadLabels) as wrong:
        set_labels(retriever.pk, labels, other_allowed=True, base_version=0, actor=adam)
    assert list(wrong.value.rows) == [row]


def test_it_is_for_admins(retriever: Retriever, lena: User) -> None:
    with pytest.raises(PermissionDenied):
        set_labels(retriever.pk, [LOGO], other_allowed=True, base_version=0, actor=lena)


def test_it_pins_a_decision_to_what_was_in_force(
    retriever: Retriever, closed: LabelSet, adam: User
) -> None:
    guidelines = write_guidelines(retriever.pk, "Look twice.", base_version=0, actor=adam)
    annotation = make_annotation(retriever)
    decision = decide(annotation, adam, label="no logo", confidence=None)
    set_labels(retriever.pk, [NONE], other_allowed=True, base_version=1, actor=adam)
    decision.refresh_from_db()
    assert (decision.label_set, decision.guidelines) == (closed, guidelines)


def test_it_refuses_a_label_that_is_not_offered(
    retriever: Retriever, closed: LabelSet, alice: User
) -> None:
    annotation = make_annotation(retriever, label="machine's own")
    for label in ("other", annotation.label):
        with pytest.raises(LabelNotOffered) as refused:
            decide(annotation, alice, label=label, confidence=None)
        assert refused.value.offered == ["logo", "no logo"]
    assert not Decision.objects.exists()


def test_it_takes_any_label_when_others_are_allowed(retriever: Retriever, adam: User) -> None:
    set_labels(retriever.pk, [LOGO], other_allowed=True, base_version=0, actor=adam)
    annotation = make_annotation(retriever)
    assert decide(annotation, adam, label="other", confidence=None).label == "other"


def test_it_says_at_the_form_that_a_label_is_not_offered(
    client: Client, retriever: Retriever, closed: LabelSet, alice: User
) -> None:
    annotation = make_annotation(retriever)
    client.force_login(alice)
    address = reverse("decide", args=[annotation.pk])
    for wrong in ({"choice": "", "label": "other"}, {"choice": "other", "label": ""}):
        answer = client.post(address, filled_form(annotation, **wrong))
        assert answer.status_code == 422
        assert "“other” is not one of this retriever" in answer.content.decode()
    assert (
        client.post(address, filled_form(annotation, choice="no logo", label="")).status_code == 302
    )


def test_it_lets_nobody_be_stopped_from_saying_cannot_tell(
    client: Client, retriever: Retriever, closed: LabelSet, alice: User
) -> None:
    annotation = make_annotation(retriever, label="machine's own")
    client.force_login(alice)
    data = filled_form(annotation, outcome="undecidable", reasoning="Too dark.")
    assert client.post(reverse("decide", args=[annotation.pk]), data).status_code == 302


def test_it_shows_the_buttons_of_the_set_in_its_order(
    client: Client, retriever: Retriever, closed: LabelSet, alice: User
) -> None:
    make_annotation(retriever, label="in use elsewhere")
    annotation = make_annotation(retriever, label="logo")
    client.force_login(alice)
    page = client.get(reverse("review", args=[annotation.pk]))
    assert [button.label for button in page.context["buttons"]] == ["logo", "no logo"]
    text = page.content.decode()
    assert "A logo" in text
    assert "hue-green" in text
    assert 'placeholder="Another label"' not in text


def test_it_offers_another_label_where_that_is_allowed(
    client: Client, retriever: Retriever, adam: User
) -> None:
    set_labels(retriever.pk, [LOGO], other_allowed=True, base_version=0, actor=adam)
    annotation = make_annotation(retriever, label="odd")
    client.force_login(adam)
    page = client.get(reverse("review", args=[annotation.pk]))
    assert [button.label for button in page.context["buttons"]] == ["logo", "odd"]
    assert 'placeholder="Another label"' in page.content.decode()


def test_it_offers_the_labels_in_use_again_when_the_set_is_emptied(
    client: Client, retriever: Retriever, closed: LabelSet, adam: User
) -> None:
    set_labels(retriever.pk, [], other_allowed=False, base_version=1, actor=adam)
    annotation = make_annotation(retriever, label="in use")
    client.force_login(adam)
    page = client.get(reverse("review", args=[annotation.pk]))
    assert [button.label for button in page.context["buttons"]] == ["in use"]
    assert 'placeholder="Another label"' in page.content.decode()
