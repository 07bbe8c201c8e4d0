"""The page of one decision: what was on the screen, what was entered, and what came of it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decide import undo
from reviewapp.annotations.fields import FIELDS
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change
from reviewapp.retrievers.documents.snapshot import digest
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import set_labels, write_guidelines
from reviewapp.retrievers.models import Retriever
from tests.decisions import decide
from tests.factories import make_annotation, make_execution, make_result, settle_as_delivered
from tests.people import signed_in


def text_of(client: Client, decision: Decision) -> str:
    """Return the page's words, with one space between them."""
    response = client.get(reverse("decision", args=[decision.pk]))
    assert response.status_code == 200
    return " ".join(response.text.split())


@pytest.fixture
def judged(retriever: Retriever) -> Annotation:
    """An annotation of a document that an execution returned, as the machine proposed it."""
    execution = make_execution(retriever, inputs={"query": "blue logo"})
    snapshot = {"title": "Van 7", "text": "A blue logo on a van."}
    result = make_result(
        retriever,
        execution=execution,
        rank=3,
        score=0.7512345,
        snapshot=snapshot,
        digest=digest(snapshot),
    )
    return make_annotation(
        retriever,
        document_id=result.document_id,
        result=result,
        execution_id=execution.execution_id,
        label="unclear",
        confidence=0.31,
        reasoning="The seam is hidden.",
        title="Van 7",
    )


def test_it_shows_what_was_seen_and_what_was_entered(judged: Annotation, alice: User) -> None:
    words = {"label": "counterfeit", "confidence": 0.9, "reasoning": "Crooked seam."}
    decision = decide(judged, alice, **words, seconds=42, result_id=judged.result_id)

    page = text_of(signed_in(alice), decision)

    assert "relabelled “unclear” as “counterfeit”" in page
    assert "after 42 s" in page
    for seen in ("blue logo", "Van 7", "The seam is hidden.", "0.31", "0.7512345"):
        assert seen in page
    assert "Crooked seam." in page
    assert "The stored document is unchanged" in page
    assert "In force" in page


def test_it_keeps_the_document_of_then(judged: Annotation, alice: User) -> None:
    decision = decide(judged, alice, label="counterfeit", result_id=judged.result_id)
    make_result(document_id=judged.document_id, snapshot={"title": "Van 7", "text": "Repainted."})

    page = text_of(signed_in(alice), decision)

    assert "on a van." in page
    assert "Repainted." not in page
    assert "The document has changed since." in page


def test_it_shows_no_rank_and_score_of_another_query(
    judged: Annotation, retriever: Retriever, alice: User
) -> None:
    other = make_execution(retriever, inputs={"query": "red logo"})
    elsewhere = make_result(
        retriever, execution=other, document_id=judged.document_id, rank=9, score=0.123456
    )
    decision = decide(judged, alice, label="counterfeit", result_id=elsewhere.pk)

    page = text_of(signed_in(alice), decision)

    assert "blue logo" in page
    assert "<dt>Rank</dt>" not in page
    assert "0.123456" not in page


def test_it_says_when_the_stored_document_is_another(judged: Annotation, alice: User) -> None:
    forged = make_result(document_id=judged.document_id, digest="0" * 64)
    decision = decide(judged, alice, label="counterfeit", result_id=forged.pk)

    page = text_of(signed_in(alice), decision)

    assert "The stored document has been changed" in page


def test_it_shows_the_labels_and_guidelines_in_force(
    judged: Annotation, retriever: Retriever, alice: User, adam: User
) -> None:
    labels = [Label(value="counterfeit", description="Not made by the brand.")]
    set_labels(retriever.pk, labels, other_allowed=True, base_version=0, actor=adam)
    write_guidelines(retriever.pk, "Look at the **seam**.", base_version=0, actor=adam)
    decision = decide(judged, alice, label="counterfeit", result_id=judged.result_id)
    write_guidelines(retriever.pk, "Look at the tag.", base_version=1, actor=adam)

    page = text_of(signed_in(alice), decision)

    assert "Look at the <strong>seam</strong>." in page
    assert "Look at the tag." not in page
    assert "Not made by the brand." in page


def test_it_tells_what_came_of_it(judged: Annotation, alice: User, bob: User) -> None:
    first = decide(judged, alice, label="counterfeit", result_id=judged.result_id)
    settle_as_delivered(Change.objects.get(cause=first.decision_id), version=2)
    second = decide(judged, bob, label="genuine")

    page = text_of(signed_in(alice), first)

    assert f"Replaced by decision {second.pk}" in page
    assert "Delivered v2" in page
    assert "bob</strong> relabelled “counterfeit” to “genuine”" in page
    assert reverse("decision", args=[second.pk]) in page


def test_a_confirmation_leaves_what_was_not_given(judged: Annotation, alice: User) -> None:
    decision = decide(judged, alice, confidence=None, reasoning="", given=frozenset())

    page = text_of(signed_in(alice), decision)

    assert "confirmed “unclear”" in page
    assert page.count("left as it was") == len(FIELDS)


def test_it_says_that_it_was_undone(judged: Annotation, alice: User) -> None:
    decision = decide(judged, alice, label="counterfeit", hold=60)
    undo.undo(decision.pk, actor=alice)

    page = text_of(signed_in(alice), decision)

    assert "Undone" in page
    assert "In force" not in page


def test_it_shows_why_somebody_could_not_tell(judged: Annotation, alice: User) -> None:
    decision = decide(judged, alice, outcome="undecidable", reasoning="Too dark.")

    page = text_of(signed_in(alice), decision)

    assert "could not tell" in page
    assert "Too dark." in page


def test_it_works_without_a_document_or_a_retriever(alice: User) -> None:
    annotation = make_annotation(proposed={}, result=None)
    Annotation.objects.filter(pk=annotation.pk).update(retriever=None)
    decision = decide(annotation, alice, label="logo")

    page = text_of(signed_in(alice), decision)

    assert "No document was on the screen" in page


def test_the_id_that_mixpeek_holds_leads_to_it(judged: Annotation, alice: User) -> None:
    decision = decide(judged, alice, label="counterfeit", result_id=judged.result_id)
    client = signed_in(alice)

    response = client.get(f"/decisions/{decision.decision_id}")

    assert response.headers["Location"] == reverse("decision", args=[decision.pk])
    assert client.get("/decisions/999999999").status_code == 404
    assert client.get("/decisions/99999999999999999999999").status_code == 404


def test_item_history_and_delivery_link_to_it(judged: Annotation, alice: User, lena: User) -> None:
    decision = decide(judged, alice, label="counterfeit", result_id=judged.result_id)
    change = Change.objects.get(cause=decision.decision_id)
    link = reverse("decision", args=[decision.pk])
    client = signed_in(lena)

    assert link in client.get(reverse("review", args=[judged.pk])).text
    assert link in client.get(reverse("history")).text
    by_id = reverse("decision_by_id", args=[decision.decision_id])
    assert by_id in client.get(reverse("delivery", args=[change.pk])).text
