"""The item says what is to be decided: the task, other labels, what each label means."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from reviewapp.retrievers.models import Retriever
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_execution, make_retriever

pytestmark = pytest.mark.django_db


def page_of(client: Client, person: User, annotation: Annotation) -> str:
    client.force_login(person)
    return collapsed(client.get(reverse("review", args=[annotation.pk])))


def evidence_of(client: Client, person: User, annotation: Annotation) -> str:
    """Return what stands beside the form, without the notices above it."""
    page = page_of(client, person, annotation)
    return page.split('class="query-values"')[1].split('class="review-side"')[0]


def test_it_shows_the_retrievers_question_as_text(client: Client, alice: User) -> None:
    retriever = make_retriever(description="Decide whether the logo is <b>real</b>.")
    evidence = evidence_of(client, alice, make_annotation(retriever))
    assert "Decide whether the logo is &lt;b&gt;real&lt;/b&gt;." in evidence


def test_it_shows_no_task_without_a_description(client: Client, alice: User) -> None:
    evidence = evidence_of(client, alice, make_annotation(make_retriever()))
    assert "Task" not in evidence


def test_it_names_other_labels_of_the_document_and_their_queries(
    client: Client, alice: User
) -> None:
    retriever = make_retriever(input_schema={"query": {"type": "string"}})
    mill = make_execution(retriever, inputs={"query": "mill"})
    barn = make_execution(retriever, inputs={"query": "barn"})
    names = {"document_id": "doc_1", "status": "decided"}
    judged = make_annotation(retriever, execution_id=mill.execution_id, label="stone", **names)
    other = make_annotation(retriever, execution_id=barn.execution_id, label="wood", **names)

    evidence = evidence_of(client, alice, judged)

    assert reverse("review", args=[other.pk]) in evidence
    assert '<span class="label" dir="auto">wood</span>' in evidence
    assert 'for <q dir="auto">query: barn</q>' in evidence
    assert "proposed" not in evidence


def test_it_tells_a_proposed_label_from_a_decided_one(client: Client, alice: User) -> None:
    retriever = make_retriever()
    item = make_annotation(retriever, document_id="doc_1")
    make_annotation(retriever, document_id="doc_1", label="wood", status="waiting")
    assert '<span class="muted">proposed</span>' in evidence_of(client, alice, item)


def test_it_names_no_other_label_twice(client: Client, alice: User) -> None:
    retriever = make_retriever(input_schema={"query": {"type": "string"}})
    mill = make_execution(retriever, inputs={"query": "mill"})
    barn = make_execution(retriever, inputs={"query": "barn"})
    waiting = make_annotation(retriever, document_id="doc_1", execution_id=mill.execution_id)
    make_annotation(
        retriever,
        document_id="doc_1",
        execution_id=barn.execution_id,
        label="wood",
        status="decided",
    )
    page = page_of(client, alice, waiting).split('id="about"')[0]
    assert page.count('<span class="label" dir="auto">wood</span>') == 1


def test_it_says_at_the_button_what_a_label_means(
    client: Client, adam: User, alice: User, retriever: Retriever
) -> None:
    labels = [Label(value="fake", description="Not made by the brand."), Label(value="real")]
    set_labels(retriever.pk, labels, other_allowed=True, base_version=0, actor=adam)
    page = page_of(client, alice, make_annotation(retriever))
    shown = '<span class="label-button-description" dir="auto">Not made by the brand.</span>'
    assert page.count(shown) == 1
    assert page.count("label-button-description") == 1


def test_it_has_the_guidelines_above_the_form(
    client: Client, adam: User, alice: User, retriever: Retriever
) -> None:
    write_guidelines(retriever.pk, "Look **twice**.", base_version=0, actor=adam)
    page = page_of(client, alice, make_annotation(retriever))
    guidelines, form = page.index('id="guidelines"'), page.index('id="decision"')
    assert guidelines < form
    assert page.count("<strong>twice</strong>") == 1
