"""An item that names another document by its id shows that document, and what differs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.retrievers.models import Result
from tests.collapsed import collapsed
from tests.factories import make_annotation, make_result, make_retriever

pytestmark = pytest.mark.django_db
SPEECH = "Welcome back to the shop. This week only, everything on the third shelf is half price."


def held(document_id: str = "doc_2", **values: Any) -> Result:
    """Return a document of the collection as it is here, without an item."""
    snapshot = values.pop("snapshot", {"title": "Hold music", "text": SPEECH, "media": "audio"})
    return make_result(document_id=document_id, snapshot=snapshot, **values)


def item(*, payload: dict[str, Any] | None = None, **fields: Any) -> Annotation:
    """Return an item of doc_1, whose document has these fields beside its own."""
    snapshot = {"title": "Door chime", "text": SPEECH.replace("third", "first"), "media": "audio"}
    retriever = make_retriever()
    result = make_result(retriever, document_id="doc_1", snapshot=snapshot | fields)
    return make_annotation(retriever, document_id="doc_1", result=result, payload=payload or {})


def page_of(client: Client, person: User, annotation: Annotation) -> str:
    client.force_login(person)
    return collapsed(client.get(reverse("review", args=[annotation.pk])))


def other_of(client: Client, person: User, annotation: Annotation) -> str:
    """Return the part of the page about the other document, "" if there is none."""
    _, _, rest = page_of(client, person, annotation).partition('class="other-document"')
    return rest.partition('class="review-side"')[0]


def test_it_shows_the_document_that_the_payload_names(client: Client, alice: User) -> None:
    held()
    other = other_of(client, alice, item(payload={"similarity": {"nearest": "doc_2"}}))
    assert "Hold music" in other
    assert 'payload <span class="mono">similarity.nearest</span>' in other
    assert "None yet" in other


def test_it_shows_the_document_that_a_field_of_any_name_names(client: Client, alice: User) -> None:
    held()
    other = other_of(client, alice, item(xyz=["nothing", "doc_2"]))
    assert 'data-document="doc_2"' in other
    assert '<span class="mono">xyz</span>' in other


def test_it_leads_to_the_documents_item_and_names_its_label(client: Client, alice: User) -> None:
    document = held()
    own = item(twin="doc_2")
    make_annotation(document_id="doc_2", result=document, label="elsewhere")
    judged = make_annotation(own.retriever, document_id="doc_2", label="distinct", status="decided")
    make_annotation(document_id="doc_2", label="later")
    other = other_of(client, alice, own)
    address = reverse("review", args=[judged.pk])
    assert f'<a data-leaves href="{address}">Hold music</a>' in other
    assert '<span class="label" dir="auto">distinct</span>' in other


def test_it_marks_what_differs_word_by_word_and_what_is_shared(client: Client, alice: User) -> None:
    held()
    other = other_of(client, alice, item(twin="doc_2"))
    differing, shared = other.split("The same in both")
    assert '<del class="diff-old">first </del><ins class="diff-new">third </ins>' in differing
    assert '<del class="diff-old" dir="auto">Door chime</del>' in differing
    assert '<dt class="wrap-anywhere">media</dt><dd dir="auto">audio</dd>' in shared


def test_it_calls_nothing_removed_that_only_this_item_has(client: Client, alice: User) -> None:
    held(snapshot={"title": "Hold music"})
    other = other_of(client, alice, item(twin="doc_2"))
    assert '<del class="diff-old" dir="auto">audio</del>' in other
    assert "removed" not in other


def test_it_says_that_nothing_differs(client: Client, alice: User) -> None:
    annotation = item()
    annotation.payload = {"twin": "doc_2"}
    annotation.save()
    assert annotation.result
    held(snapshot=annotation.result.snapshot)
    assert "None: all texts and fields are the same." in other_of(client, alice, annotation)


def test_it_shows_the_newest_state_of_the_document_as_text(client: Client, alice: User) -> None:
    held()
    held(snapshot={"title": "<b>Renamed</b>", "text": SPEECH})
    other = other_of(client, alice, item(twin="doc_2"))
    assert "&lt;b&gt;Renamed&lt;/b&gt;" in other
    assert "<b>Renamed" not in other


def test_it_shows_the_documents_media_by_our_own_address(client: Client, alice: User) -> None:
    blob = {"field": "file", "url": "s3://bucket/a.png", "type": "image", "role": "source"}
    held(snapshot={"title": "Picture", "document_blobs": [blob]})
    page = page_of(client, alice, item(twin="doc_2"))
    assert 'src="/documents/doc_2/media/' in page
    # The media of either document can be blurred.
    assert page.count('id="blur"') == 1


@pytest.mark.parametrize(
    "values",
    [{"document_id": "doc_3"}, {"collection_id": "col_other"}],
    ids=["unknown", "another collection"],
)
def test_it_shows_nothing_for_an_id_of_no_document_of_the_collection(
    client: Client, alice: User, values: dict[str, str]
) -> None:
    held(**values)
    page = page_of(client, alice, item(nearest_document_id="doc_2"))
    assert "Other document" not in page
    assert "is-compared" not in page


def test_it_does_not_compare_a_document_with_itself(client: Client, alice: User) -> None:
    assert other_of(client, alice, item(parent="doc_1")) == ""


def test_it_shows_the_other_document_where_its_own_is_missing(client: Client, alice: User) -> None:
    held()
    annotation = make_annotation(document_id="doc_1", result=None, payload={"twin": "doc_2"})
    other = other_of(client, alice, annotation)
    assert "Hold music" in other
    assert "Differences" not in other


def test_it_shows_at_most_three_documents_for_the_same_number_of_queries(
    client: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ids = [f"doc_{number}" for number in range(2, 9)]
    for document_id in ids:
        make_annotation(document_id=document_id, result=held(document_id))
    annotation = item(twins=ids)
    page_of(client, alice, annotation)
    with django_assert_max_num_queries(12):
        page = collapsed(client.get(reverse("review", args=[annotation.pk])))
    assert page.count('class="other-document"') == 3
    assert page.index('data-document="doc_2"') < page.index('data-document="doc_4"')
