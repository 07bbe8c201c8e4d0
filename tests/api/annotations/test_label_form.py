"""The label editor, a restored version, the decision form and the API have one idea of a label."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.retrievers.guidance.labels import Label
from reviewapp.retrievers.guidance.services import BadLabels, set_labels
from reviewapp.retrievers.models import LabelSet, Retriever
from tests.api.conftest import Caller
from tests.decisions import decide, post_decision
from tests.factories import make_annotation
from tests.people import signed_in

pytestmark = pytest.mark.django_db

UNWRITABLE = [
    "spam\tSpam", "spam\nSpam", "spam\u2028Spam", "spam\u0085", "\u202espam", "sp\u200bam",
    "\ufeffspam", "x" * 101, " ", "\u200d",
]  # fmt: skip
ALIKE = ["Spam", "SPAM", " spam", "\uff53pam", "spam\u00a0"]


def offer(retriever: Retriever, adam: User, *values: str, other_allowed: bool = False) -> None:
    labels = [Label(value=value) for value in values]
    retriever.refresh_from_db()
    version = retriever.label_set.version if retriever.label_set else 0
    set_labels(retriever.pk, labels, other_allowed=other_allowed, base_version=version, actor=adam)


@pytest.mark.parametrize("text", UNWRITABLE)
def test_nobody_may_write_it_anywhere(
    as_alice: Caller, alice: User, adam: User, retriever: Retriever, text: str
) -> None:
    with pytest.raises(BadLabels):
        offer(retriever, adam, "ham", text)
    item = make_annotation(retriever)
    if text.strip():
        reply = post_decision(signed_in(alice), item, label=text, new_label=text)
        assert reply.status_code == 422, reply.content
    reply = as_alice("PATCH", f"/v1/annotations/{item.annotation_id}", {"label": text})
    assert reply.status_code == 422
    body: dict[str, Any] = {"document_id": "d", "label": text}
    assert as_alice("POST", "/v1/annotations", body).status_code == 422
    item.refresh_from_db()
    assert item.label == "logo"


@pytest.mark.parametrize("text", ALIKE)
def test_a_label_like_one_of_the_set_is_that_one(
    as_alice: Caller, alice: User, adam: User, retriever: Retriever, text: str
) -> None:
    with pytest.raises(BadLabels, match="spam"):
        offer(retriever, adam, "spam", text.strip() + " " * (text != text.strip()))
    offer(retriever, adam, "spam", "ham")

    by_form, by_api = make_annotation(retriever), make_annotation(retriever)
    reply = post_decision(signed_in(alice), by_form, label=text, new_label="")
    assert reply.status_code == 302, reply.content
    path = f"/v1/annotations/{by_api.annotation_id}"
    reply = as_alice("PATCH", path, {"label": text})
    assert reply.json()["label"] == "spam"
    assert set(Annotation.objects.values_list("label", flat=True)) == {"spam"}


def test_it_stores_composed_letters_without_spaces_around(alice: User, as_alice: Caller) -> None:
    one, other = make_annotation(), make_annotation()
    decide(one, alice, label=" cafe\u0301 ")
    as_alice("PATCH", f"/v1/annotations/{other.annotation_id}", {"label": "cafe\u0301\u00a0"})
    assert set(Annotation.objects.values_list("label", flat=True)) == {"caf\u00e9"}


@pytest.mark.parametrize("label", ["spam ", "two\nlines", "tab\there", "cafe\u0301", "\u202ex"])
def test_a_label_of_mixpeek_is_confirmed_to_the_letter(alice: User, label: str) -> None:
    item = make_annotation(label=label, upstream={"label": label})
    reply = post_decision(signed_in(alice), item, choice=label, label="", new_label="")
    assert reply.status_code == 302, reply.content
    item.refresh_from_db()
    assert (item.label, item.status) == (label, "decided")


def test_what_an_earlier_version_offered_can_be_chosen_and_is_not_restored_beside_its_like(
    alice: User, adam: User, retriever: Retriever
) -> None:
    labels = [{"value": value, "title": "", "description": "", "colour": "none"}
              for value in ("spam\tSpam", "Ham", "ham")]  # fmt: skip
    retriever.label_set = LabelSet.objects.create(
        retriever=retriever, version=1, labels=labels, other_allowed=False, created_by=adam
    )
    retriever.save()
    for label in ("spam\tSpam", "Ham", "ham"):
        item = make_annotation(retriever)
        reply = post_decision(
            signed_in(alice), item, choice=label, label="", decision_id=str(uuid.uuid4())
        )
        assert reply.status_code == 302, reply.content
        item.refresh_from_db()
        assert item.label == label
    with pytest.raises(BadLabels):
        offer(retriever, adam, "Ham", "ham")
