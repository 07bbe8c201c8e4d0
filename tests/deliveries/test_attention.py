"""Conflicts and refusals: seen side by side, and dealt with from there."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from reviewapp.retrievers.documents.media import media
from tests.collapsed import collapsed
from tests.factories import (
    make_annotation,
    make_change,
    make_execution,
    make_result,
    make_retriever,
)

pytestmark = pytest.mark.django_db


_PICTURE = {
    "document_blobs": [
        {"field": "photo", "type": "image", "url": "https://example.org/van.png", "role": "source"}
    ]
}


@pytest.fixture
def conflict() -> Change:
    annotation = make_annotation(label="logo", title="A van at night")
    return make_change(
        annotation,
        "conflict",
        fields={"label": "no logo"},
        theirs={"label": "partial logo", "confidence": 0.5, "reasoning": "", "payload": {}},
        reason="The label was changed at Mixpeek before this was sent.",
    )


def test_it_shows_the_values_side_by_side(conflict: Change, client: Client, alice: User) -> None:
    client.force_login(alice)
    page = client.get("/attention").content.decode()
    for words in (
        "A van at night",
        "no logo",
        "partial logo",
        conflict.reason,
        "Edit and resend",
        "Take theirs",
    ):
        assert words in page


def test_it_shows_the_evidence_of_each_decision(client: Client, alice: User) -> None:
    execution = make_execution(inputs={"query": "vans <at> night"})
    result = make_result(execution.retriever, document_id="doc_van", snapshot=_PICTURE)
    seen: dict[str, Any] = {
        "result": result,
        "document_id": "doc_van",
        "excerpt": "Two <logos> on a door.",
    }
    make_change(make_annotation(execution_id=execution.execution_id, **seen), "refused")
    make_change(make_annotation(title="Without a picture", excerpt=""), "conflict")
    client.force_login(alice)
    page = collapsed(client.get("/attention"))
    assert page.count("attention-picture") == 1
    index = media(_PICTURE)[0].index
    assert f'src="{reverse("media", args=["doc_van", index])}"' in page
    assert "Two &lt;logos&gt; on a door." in page
    assert "vans &lt;at&gt; night" in page


def test_it_shows_what_upstream_said_of_each_field(client: Client, alice: User) -> None:
    make_change(make_annotation(), "refused", field_errors={"label": "is not one of <ours>"})
    client.force_login(alice)
    assert "is not one of &lt;ours&gt;" in client.get("/attention").content.decode()


def test_it_says_so_when_nothing_waits(client: Client, alice: User) -> None:
    make_change(make_annotation(), "delivered")
    client.force_login(alice)
    assert "Nothing needs attention" in client.get("/attention").content.decode()


def test_it_goes_through_the_pages(client: Client, alice: User) -> None:
    for _ in range(21):
        make_change(make_annotation(), "refused")
    client.force_login(alice)
    first = client.get("/attention")
    second = client.get(first.context["pager"].after)
    assert [len(page.context["items"]) for page in (first, second)] == [20, 1]
    assert client.get("/attention", {"page": "nonsense"}).status_code == 302


def test_it_asks_few_questions(
    client: Client, alice: User, django_assert_max_num_queries: object
) -> None:
    for number in range(5):
        result = make_result(make_retriever(), snapshot=_PICTURE, execution=make_execution())
        own = make_execution(inputs={"query": f"van {number}"})
        make_change(make_annotation(result=result, execution_id=own.execution_id), "refused")
    client.force_login(alice)
    client.get("/attention")
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        client.get("/attention")


def test_it_takes_theirs(conflict: Change, client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post(f"/changes/{conflict.pk}/take-theirs", follow=True)
    conflict.refresh_from_db()
    assert conflict.state == "withdrawn"
    assert "values kept." in answer.content.decode()
    again = client.post(f"/changes/{conflict.pk}/take-theirs", follow=True)
    assert "already handled this" in again.content.decode()


def test_it_refuses_get_strangers_and_unknown_changes(
    conflict: Change, client: Client, alice: User, stranger: User
) -> None:
    client.force_login(stranger)
    assert client.get("/attention").status_code == 403
    assert client.post(f"/changes/{conflict.pk}/take-theirs").status_code == 403
    client.force_login(alice)
    assert client.get(f"/changes/{conflict.pk}/take-theirs").status_code == 405
    assert client.post("/changes/999999/take-theirs").status_code == 404


def test_it_leads_from_a_ref_to_its_page(conflict: Change, client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/by-ref", {"ref": conflict.ref})["Location"].startswith("/annotations/")
    assert client.get("/by-ref", {"ref": "annotations/unknown"}).status_code == 404
    assert client.get("/by-ref").status_code == 404


def test_it_offers_what_can_be_done_about_what_is_gone(client: Client, alice: User) -> None:
    annotation = make_annotation(label="logo", status=Annotation.Status.GONE)
    change = make_change(
        annotation, "refused", reason="The annotation is gone at Mixpeek: no such annotation"
    )
    client.force_login(alice)
    page = collapsed(client.get("/attention"))
    assert "Last at Mixpeek: logo" in page
    for untrue in ("Now at Mixpeek", "Edit and resend", "Take theirs", f"?change={change.pk}"):
        assert untrue not in page
    assert "Open the item" in page
    text = collapsed(client.post(reverse("take_theirs", args=[change.pk]), follow=True))
    assert "Dismissed: Mixpeek no longer has the annotation." in text
    change.refresh_from_db()
    assert change.state == "withdrawn"


def test_it_offers_nothing_to_submit_on_the_page_of_what_is_gone(
    client: Client, alice: User
) -> None:
    annotation = make_annotation(label="logo", status=Annotation.Status.GONE)
    change = make_change(annotation, "refused", fields={"label": "fake"})
    client.force_login(alice)
    page = collapsed(client.get(reverse("review", args=[annotation.pk]), {"change": change.pk}))
    assert "it can no longer be decided" in page
    assert "edit it if needed" not in page
    assert "Edit and resend" not in page
    assert "dismiss it" in page
