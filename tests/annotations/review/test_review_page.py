"""The review page: evidence as text and never as HTML, who has it open, and its query budget."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from markupsafe import escape
from pytest_django import DjangoAssertNumQueries

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from tests.collapsed import collapsed
from tests.decisions import post_decision
from tests.factories import (
    make_annotation,
    make_change,
    make_execution,
    make_lease,
    make_result,
    make_retriever,
)

pytestmark = pytest.mark.django_db


def _page_text(client: Client, annotation: Annotation, query: str = "") -> str:
    response = client.get(reverse("review", args=[annotation.pk]) + query)
    assert response.status_code == 200
    return collapsed(response)


def _with(snapshot: dict[str, Any], **values: Any) -> Annotation:
    retriever = make_retriever()
    execution = make_execution(retriever, inputs={"query": "blue logo"}, retriever_version=7)
    result = make_result(
        retriever, execution=execution, snapshot=snapshot, document_id="doc_x", rank=3, score=0.8125
    )
    return make_annotation(retriever, document_id="doc_x", result=result, **values)


def test_it_shows_what_was_asked_found_and_proposed(client: Client, alice: User) -> None:
    annotation = _with(
        {"text": "A blue van."},
        proposed={"label": "from_machine", "confidence": 0.25, "reasoning": "Blue."},
    )
    assert annotation.result
    client.force_login(alice)
    page = _page_text(client, annotation)
    for words in (
        "blue logo",
        "v7",
        "0.8125",
        "from_machine",
        "0.25",
        "A <mark>blue</mark> van.",
        annotation.result.digest,
    ):
        assert words in page


def test_it_shows_a_document_as_text_whatever_it_holds(client: Client, alice: User) -> None:
    nasty = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    annotation = _with(
        {"title": nasty, "text": f"{nasty} blue", nasty: nasty, "url": f"javascript:{nasty}"},
        label="<b>label", reasoning="</textarea>" + nasty, payload={nasty: "</textarea>"}, title=nasty,
    )  # fmt: skip
    client.force_login(alice)
    page = _page_text(client, annotation)
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "</textarea>&lt;" not in page
    assert escape(nasty) in page


@pytest.mark.parametrize(
    ("kind", "name", "element"),
    [
        ("image", "a.png", '<img class="medium-what"'),
        ("video", "a.mp4", "<video "),
        ("audio", "a.mp3", "<audio "),
        ("pdf", "a.pdf", "<iframe "),
    ],
)
def test_it_shows_media_by_their_kind_through_our_own_address(
    client: Client, alice: User, kind: str, name: str, element: str
) -> None:
    blob = {
        "field": "file",
        "url": f"s3://bucket/{name}",
        "type": kind,
        "role": "source",
        "filename": name,
    }
    annotation = _with({"document_blobs": [blob], "start_time": 4.5, "end_time": 9})
    client.force_login(alice)
    page = _page_text(client, annotation)
    assert element in page
    assert 'src="/documents/doc_x/media/' in page
    assert "s3://bucket" not in page.split("Source</summary>")[0]
    assert ("#t=4.5,9" in page) == (kind in {"video", "audio"})
    # The server looks at a file before it lets a frame show it.
    assert ("?as=pdf" in page) == (kind == "pdf")


def test_it_gives_a_frame_no_rights_and_no_referrer(client: Client, alice: User) -> None:
    blob = {"field": "file", "url": "s3://bucket/a.pdf", "type": "pdf", "filename": "a.pdf"}
    annotation = _with({"document_blobs": [blob]})
    client.force_login(alice)

    (frame,) = re.findall(r"<iframe [^>]*>", _page_text(client, annotation))

    # Without `sandbox`, which browsers show no PDF in; its host is another origin than ours.
    assert 'allow=""' in frame
    assert 'referrerpolicy="no-referrer"' in frame
    assert "srcdoc" not in frame


def test_it_says_why_a_file_cannot_be_shown(client: Client, alice: User) -> None:
    blob = {
        "field": "file",
        "url": "s3://bucket/a.png",
        "type": "image",
        "unavailable_reason": "Deleted by its owner",
    }
    client.force_login(alice)
    page = _page_text(client, _with({"document_blobs": [blob]}))
    assert "cannot be shown: Deleted by its owner" in page
    assert 'class="medium-what"' not in page


def test_it_applies_a_persons_preferences_for_hard_content(client: Client, alice: User) -> None:
    alice.blur_media = alice.greyscale_media = alice.mute_media = True
    alice.save()
    blob = {"field": "file", "url": "s3://bucket/a.mp4", "type": "video", "filename": "a.mp4"}
    client.force_login(alice)
    page = _page_text(client, _with({"document_blobs": [blob]}))
    assert 'class="evidence is-grey"' in page
    assert 'data-action="blur" checked' in page
    assert "playsinline muted" in page


def test_it_opens_without_a_document_and_without_an_annotation_upstream(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    assert "Document not pulled yet" in _page_text(client, make_annotation(result=None))
    new = make_annotation(
        annotation_id=None, version=None, label="", confidence=None, proposed={}, upstream={}
    )
    page = _page_text(client, new)
    assert 'Machine\'s label</dt><dd class="muted">None' in page
    assert post_decision(client, new, label="first").status_code == 302


def test_it_shows_delivery_history_and_other_results(client: Client, alice: User) -> None:
    annotation = _with({"text": "x"})
    make_change(annotation, state="conflict", reason="Changed upstream.")
    other = make_annotation(make_retriever("Other finder"), document_id="doc_x", label="elsewhere")
    client.force_login(alice)
    post_decision(client, annotation, label="relabelled by me")
    page = _page_text(client, annotation)
    assert 'id="delivery"' in page
    assert "relabelled by me" in page
    assert 'id="timeline"' in page
    assert reverse("review", args=[other.pk]) in page
    assert "Other finder" in page


def test_it_offers_my_last_decision_to_undo_or_change_it(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(undo_seconds=0)
    retriever = make_retriever()
    first, second = (
        make_annotation(retriever, confidence=0.1),
        make_annotation(retriever, confidence=0.2),
    )
    client.force_login(alice)
    post_decision(client, first, label="hasty", reasoning="Too quick.")
    page = _page_text(client, second)
    address = reverse("undo", args=[Decision.objects.get().pk])
    assert f'data-action="undo" data-leaves href="{address}"' in page
    first.refresh_from_db()
    assert "Too quick." in _page_text(client, first)
    post_decision(client, first, label="considered")
    assert [decision.label for decision in Decision.objects.order_by("id")] == [
        "hasty",
        "considered",
    ]


def test_it_brings_what_was_refused_back_into_the_form(client: Client, alice: User) -> None:
    annotation = make_annotation(label="logo")
    change = make_change(
        annotation,
        state="refused",
        reason="Label unknown.",
        fields={"label": "lgoo", "confidence": 0.3},
    )
    client.force_login(alice)
    response = client.get(reverse("review", args=[annotation.pk]), {"change": change.pk})
    assert (response.context["data"]["choice"], response.context["data"]["confidence"]) == (
        "lgoo",
        "0.3",
    )
    assert "Label unknown." in collapsed(response)
    for nonsense in ("abc", "9" * 40, make_change(make_annotation(), state="refused").pk):
        response = client.get(reverse("review", args=[annotation.pk]), {"change": nonsense})
        assert response.context["data"]["choice"] == "logo"


def test_it_marks_the_words_of_the_queues_search(client: Client, alice: User) -> None:
    annotation = _with({"text": "A green van, then a blue one."})
    client.force_login(alice)
    assert "<mark>van</mark>" in _page_text(client, annotation, "?q=van")
    assert "<mark>van</mark>" not in _page_text(client, annotation)


@pytest.mark.parametrize(
    ("state", "said"), [("refused", "Mixpeek refused"), ("conflict", "conflicts with Mixpeek")]
)
def test_it_says_that_the_last_decision_waits_for_a_person(
    state: str, said: str, client: Client, alice: User
) -> None:
    annotation = make_annotation()
    change = make_change(annotation, state=state, reason="not allowed")
    client.force_login(alice)
    page = _page_text(client, annotation)
    assert said in page
    assert "not allowed." in page
    assert f"?change={change.pk}" in page
    assert "Edit and resend" not in _page_text(client, annotation, f"?change={change.pk}")


def test_it_keeps_the_filter_on_every_way_out(client: Client, alice: User) -> None:
    annotation = make_annotation()
    client.force_login(alice)
    page = _page_text(client, annotation, "?sort=newest&label=logo")
    for way in ("decide", "skip", "defer", "lease"):
        assert f'action="{reverse(way, args=[annotation.pk])}?label=logo&amp;sort=newest"' in page
    assert f"{reverse('next')}?label=logo&amp;sort=newest&amp;after={annotation.pk}" in page


def test_it_lets_somebody_read_who_may_not_decide(client: Client, stranger: User) -> None:
    stranger.user_permissions.add(Permission.objects.get(codename="view_annotation"))
    annotation = make_annotation()
    client.force_login(stranger)
    page = _page_text(client, annotation)
    assert "Only reviewers, leads and admins can decide" in page
    assert 'data-action="submit"' not in page
    assert not hasattr(Annotation.objects.get(pk=annotation.pk), "lease")


def test_it_says_who_has_it_open_to_somebody_who_may_not_decide(
    client: Client, alice: User, stranger: User
) -> None:
    stranger.user_permissions.add(Permission.objects.get(codename="view_annotation"))
    held, expired = make_annotation(), make_annotation()
    make_lease(held, alice)
    make_lease(expired, alice, seconds=-1)
    client.force_login(stranger)
    assert "Open by <strong>alice</strong>" in _page_text(client, held)
    assert "Nobody has it open" in _page_text(client, expired)


def test_it_refuses_strangers_and_the_unknown(client: Client, alice: User, stranger: User) -> None:
    annotation = make_annotation()
    client.force_login(stranger)
    assert client.get(reverse("review", args=[annotation.pk])).status_code == 403
    client.force_login(alice)
    for pk in ("987654321", "9" * 40):
        assert client.get(f"/annotations/{pk}").status_code == 404


def test_it_is_never_kept_by_a_cache(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.get(reverse("review", args=[make_annotation().pk]))
    assert "no-store" in response.headers["Cache-Control"]


def test_it_asks_the_database_the_same_number_of_times_whatever_there_is(
    client: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    annotation = _with({"text": "x"})
    for _ in range(12):
        other = make_annotation(make_retriever(), document_id="doc_x")
        make_result(document_id="doc_x", execution=make_execution(), retriever=other.retriever)
        make_change(annotation, state="delivered")
    client.force_login(alice)
    for other in Annotation.objects.exclude(pk=annotation.pk):
        post_decision(client, other, label="a")
    _page_text(client, annotation)
    with django_assert_max_num_queries(12):
        _page_text(client, annotation)
