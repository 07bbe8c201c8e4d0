"""What nobody touches does not travel: a form with a long value is small, and loses nothing."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.mixpeek.parsing.bounds import MAX_JSON_LENGTH, json_length
from reviewapp.outbox.models import Change
from tests.decisions import decide, filled_form
from tests.factories import make_annotation
from tools.bench.http_client import form_fields

pytestmark = pytest.mark.django_db
# As long as Mixpeek's may be, and of what takes most room in a form.
LARGE: dict[str, Any] = {"rows": ['"\u4e2d' * 20] * 4_000}
SMALL_FORM = 8 * 1024
SCRIPT = {"Accept": "application/json", "HX-Request": "true"}


@pytest.fixture
def item(alice_client: Client) -> Annotation:
    assert 0.9 * MAX_JSON_LENGTH < json_length(LARGE) <= MAX_JSON_LENGTH
    return make_annotation(label="van", payload=LARGE)


def opened_form(client: Client, item: Annotation) -> dict[str, str]:
    """Return what a browser sends of the form that nobody has touched."""
    page = client.get(reverse("review", args=[item.pk])).content.decode()
    return form_fields(page, reverse("decide", args=[item.pk]))


def submit(client: Client, item: Annotation, form: dict[str, str]) -> Any:
    return client.post(reverse("decide", args=[item.pk]), form)


def save_draft(client: Client, item: Annotation, form: dict[str, str]) -> Any:
    return client.post(reverse("draft", args=[item.pk]), form, headers=SCRIPT)


def test_it_decides_without_sending_it_back(alice_client: Client, item: Annotation) -> None:
    form = opened_form(alice_client, item) | {"choice": "van", "reasoning": "Four wheels"}
    assert len(urlencode(form)) < SMALL_FORM
    assert submit(alice_client, item, form).status_code == 302

    decision = Decision.objects.get()
    assert (decision.payload, decision.reasoning) == (LARGE, "Four wheels")
    assert decision.base["payload"] == LARGE
    assert "payload" not in Change.objects.get().fields
    item.refresh_from_db()
    assert item.payload == LARGE


def test_it_is_shown_whole(alice_client: Client, item: Annotation) -> None:
    page = alice_client.get(reverse("review", args=[item.pk])).content.decode()
    assert page.count('id="payload"') == 1
    assert page.count("\u4e2d") >= 80_000
    assert "This payload has" in page


def test_it_takes_over_what_somebody_else_has_set_meanwhile(
    alice_client: Client, bob: User, item: Annotation
) -> None:
    form = opened_form(alice_client, item) | {"choice": "van", "reasoning": "Four wheels"}
    for payload in ({"by": "bob"}, {"by": "bob", "again": True}):
        Annotation.objects.filter(pk=item.pk).update(payload=payload)
    assert submit(alice_client, item, form).status_code == 302
    item.refresh_from_db()
    assert item.payload == {"by": "bob", "again": True}
    assert Decision.objects.get().base["payload"] == LARGE


def test_it_conflicts_with_a_value_that_was_typed(alice_client: Client, item: Annotation) -> None:
    form = opened_form(alice_client, item) | {"choice": "van", "payload": '{"mine": 1}'}
    Annotation.objects.filter(pk=item.pk).update(payload={"by": "bob"})
    page = submit(alice_client, item, form)
    assert page.status_code == 409
    assert [side.field for side in page.context["stale"].sides] == ["payload"]
    again = form_fields(page.content.decode(), reverse("decide", args=[item.pk]))
    assert len(urlencode(again)) < SMALL_FORM
    again |= {"choice": "van", "keep_payload": "mine"}
    assert submit(alice_client, item, again).status_code == 302
    assert Decision.objects.get().payload == {"mine": 1}


def test_it_can_be_replaced_and_cleared(alice_client: Client, item: Annotation) -> None:
    form = opened_form(alice_client, item) | {"choice": "van", "payload": '{"a": 1}'}
    assert submit(alice_client, item, form).status_code == 302
    assert Decision.objects.get().payload == {"a": 1}

    other = make_annotation(label="van", payload=LARGE)
    form = opened_form(alice_client, other) | {"choice": "van", "payload": ""}
    assert submit(alice_client, other, form).status_code == 302
    other.refresh_from_db()
    assert other.payload == {}


def test_it_comes_back_with_an_error_in_another_field(
    alice_client: Client, item: Annotation
) -> None:
    form = opened_form(alice_client, item) | {"choice": "van", "confidence": "much"}
    page = submit(alice_client, item, form)
    assert page.status_code == 422
    assert page.content.decode().count("\u4e2d") >= 80_000
    again = form_fields(page.content.decode(), reverse("decide", args=[item.pk]))
    assert "payload" not in again
    assert (
        submit(alice_client, item, again | {"choice": "van", "confidence": "1"}).status_code == 302
    )
    assert Decision.objects.get().payload == LARGE


def test_it_makes_a_small_draft_that_goes_on_where_it_was(
    alice_client: Client, item: Annotation
) -> None:
    form = opened_form(alice_client, item) | {"choice": "van", "reasoning": "Half a word"}
    assert save_draft(alice_client, item, form).json()["state"] == "saved"
    draft = Draft.objects.get()
    assert len(json.dumps([draft.typed, draft.base])) < SMALL_FORM

    page = alice_client.get(reverse("review", args=[item.pk])).content.decode()
    assert "Unsent draft from" in page
    assert page.count("\u4e2d") >= 80_000
    again = form_fields(page, reverse("decide", args=[item.pk]))
    assert again["reasoning"].strip() == "Half a word"
    assert "payload" not in again

    # Bob has changed it since.
    Annotation.objects.filter(pk=item.pk).update(payload={"by": "bob"})
    page = alice_client.get(reverse("review", args=[item.pk])).content.decode()
    assert "changed the payload" in page
    again = form_fields(page, reverse("decide", args=[item.pk])) | {"choice": "van"}
    assert submit(alice_client, item, again).status_code == 302
    assert Decision.objects.get().payload == {"by": "bob"}


def test_it_takes_a_form_and_a_draft_that_hold_it_whole(alice_client: Client, alice: User) -> None:
    """Rendered before long values stayed at the server."""
    payload = {"rows": ["word " * 20] * 1_000}
    item = make_annotation(label="van", payload=payload)
    old = filled_form(item, base=json.dumps(item.seen()), reasoning="Four wheels")
    assert save_draft(alice_client, item, old).json()["state"] == "saved"
    page = alice_client.get(reverse("review", args=[item.pk])).content.decode()
    again = form_fields(page, reverse("decide", args=[item.pk]))
    assert "payload" not in again
    assert submit(alice_client, item, old).status_code == 302
    assert Decision.objects.get().payload == payload


def test_it_is_no_change_for_an_open_page(alice_client: Client, item: Annotation) -> None:
    page = alice_client.get(reverse("review", args=[item.pk]))
    poll = f"{reverse('news', args=[item.pk])}?seen={page.context['seen']}"
    assert alice_client.get(poll).status_code == 204

    Annotation.objects.filter(pk=item.pk).update(payload={**LARGE, "one": "more"})
    assert alice_client.get(poll).status_code == 200
    base = opened_form(alice_client, item)["base"]
    Annotation.objects.filter(pk=item.pk).update(payload={"by": "bob"})
    news = alice_client.post(reverse("news", args=[item.pk]), {"base": base})
    assert "This item has changed" in news.content.decode()


@pytest.mark.parametrize(
    "digests", [{"payload": "0" * 64}, {"payload": 1}, {"owner": "0" * 64}, ["payload"], "payload"]
)
def test_it_refuses_a_forged_digest(alice_client: Client, item: Annotation, digests: Any) -> None:
    form = opened_form(alice_client, item) | {"choice": "van"}
    form["base"] = json.dumps(json.loads(form["base"]) | {"digests": digests})
    assert submit(alice_client, item, form).status_code == 422
    assert not Decision.objects.exists()
    save_draft(alice_client, item, form)
    assert alice_client.get(reverse("review", args=[item.pk])).status_code == 200


def test_it_is_not_the_value_of_another_item(alice_client: Client, item: Annotation) -> None:
    other = make_annotation(label="van", payload={"a": "small one"})
    form = opened_form(alice_client, other) | {"choice": "van"}
    form["base"] = opened_form(alice_client, item)["base"]
    assert submit(alice_client, other, form).status_code == 422


def test_it_keeps_a_long_reasoning_that_a_person_gave(
    alice_client: Client, bob: User, item: Annotation
) -> None:
    long = "Why? " * 2_000
    Annotation.objects.filter(pk=item.pk).update(upstream={**item.upstream, "reasoning": long})
    decide(item, bob, reasoning=long, given=frozenset({"label", "reasoning"}))
    form = opened_form(alice_client, item)
    assert len(urlencode(form)) < SMALL_FORM
    assert submit(alice_client, item, form | {"choice": "van"}).status_code == 302
    item.refresh_from_db()
    assert item.reasoning == long
