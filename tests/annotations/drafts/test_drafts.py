"""Drafts: private to their writer, offered again, compared with changes, deleted on decision."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from markupsafe import escape

from reviewapp.accounts.models import User
from reviewapp.annotations.drafts import services
from reviewapp.annotations.models import Annotation, Decision, Draft
from reviewapp.annotations.tasks import forget_drafts
from tests.decisions import filled_form, post_decision
from tests.factories import make_annotation, make_change

pytestmark = pytest.mark.django_db

TYPED = "Half a thought, not\nfinished & 手書き"
SCRIPT = {"Accept": "application/json", "HX-Request": "true"}


def _save(client: Client, annotation: Annotation, **changes: Any) -> Any:
    data = filled_form(annotation) | {"reasoning": TYPED} | changes
    return client.post(reverse("draft", args=[annotation.pk]), data, headers=SCRIPT)


def _open(client: Client, annotation: Annotation) -> Any:
    return client.get(reverse("review", args=[annotation.pk]))


@pytest.fixture
def annotation(client: Client, alice: User) -> Annotation:
    """An item that Alice, signed in, may decide."""
    client.force_login(alice)
    return make_annotation(label="logo", reasoning="Said the machine.")


def test_it_keeps_what_is_typed_well_formed_or_not(client: Client, annotation: Annotation) -> None:
    response = _save(client, annotation, confidence="a lot", payload='{"half": ')
    assert response.json()["state"] == "saved"
    page = _open(client, annotation)
    text = page.content.decode()
    assert "Unsent draft from" in text
    assert escape(TYPED) in text
    assert (page.context["data"]["confidence"], page.context["data"]["payload"]) == (
        "a lot",
        '{"half": ',
    )
    assert not Decision.objects.exists()


def test_it_keeps_a_field_that_was_emptied(client: Client, annotation: Annotation) -> None:
    _save(client, annotation, reasoning="", confidence="")
    data = _open(client, annotation).context["data"]
    assert (data["reasoning"], data["confidence"]) == ("", "")


def test_it_shows_a_draft_to_nobody_else(
    client: Client, annotation: Annotation, adam: User, lena: User
) -> None:
    _save(client, annotation)
    for other in (adam, lena):
        client.force_login(other)
        assert escape(TYPED) not in _open(client, annotation).content.decode()
        assert client.get("/annotations?show=drafts").context["page"].rows == []


def test_it_is_gone_with_the_decision_that_it_becomes(
    client: Client, annotation: Annotation
) -> None:
    form = filled_form(annotation) | {"reasoning": TYPED}
    client.post(reverse("draft", args=[annotation.pk]), form, headers=SCRIPT)
    assert client.post(reverse("decide", args=[annotation.pk]), form).status_code == 302
    assert not Draft.objects.exists()


def test_it_is_gone_with_a_decision_that_was_made_from_it_after_a_conflict(
    client: Client, annotation: Annotation
) -> None:
    edition = _save(client, annotation).json()["edition"]
    decided = filled_form(annotation, reasoning=TYPED, draft=edition)
    assert client.post(reverse("decide", args=[annotation.pk]), decided).status_code == 302
    assert not Draft.objects.exists()


def test_it_outlives_a_decision_that_knew_nothing_of_it(
    client: Client, annotation: Annotation
) -> None:
    _save(client, annotation)
    post_decision(client, annotation, label="other", draft="no uuid")
    assert Decision.objects.exists()
    assert Draft.objects.get().typed["reasoning"] == TYPED


def test_it_does_not_come_back_when_it_arrives_after_the_decision(
    client: Client, annotation: Annotation
) -> None:
    form = filled_form(annotation) | {"reasoning": TYPED}
    client.post(reverse("decide", args=[annotation.pk]), form)
    response = client.post(reverse("draft", args=[annotation.pk]), form, headers=SCRIPT)
    assert (response.status_code, response.json()) == (409, {"state": "decided"})
    assert not Draft.objects.exists()


def test_it_lets_no_browser_overwrite_anothers_words(
    client: Client, annotation: Annotation
) -> None:
    first = _save(client, annotation, reasoning="At the office").json()
    response = _save(client, annotation, reasoning="At home")
    assert response.status_code == 409
    assert response.json()["edition"] == first["edition"]
    assert response.json()["form"]["reasoning"] == "At the office"
    assert Draft.objects.get().typed["reasoning"] == "At the office"
    assert (
        _save(client, annotation, reasoning="At home", draft=first["edition"]).json()["state"]
        == "saved"
    )
    assert Draft.objects.get().typed["reasoning"] == "At home"


def test_it_says_the_same_words_twice_without_a_quarrel(
    client: Client, annotation: Annotation
) -> None:
    _save(client, annotation, reasoning="one\ntwo")
    assert _save(client, annotation, reasoning="one\r\ntwo").json()["state"] == "saved"


def test_it_asks_whose_value_stands_when_both_changed_a_field(
    client: Client, annotation: Annotation, alice: User, bob: User
) -> None:
    before = filled_form(annotation)
    client.force_login(bob)
    post_decision(client, annotation, label="theirs", confidence="0.9")
    client.force_login(alice)
    typed = before | {"label": "mine", "reasoning": TYPED}
    client.post(reverse("draft", args=[annotation.pk]), typed, headers=SCRIPT)
    for _ in range(2):
        page = _open(client, annotation)
        stale = page.context["stale"]
        assert [(side.field, side.mine, side.theirs, side.is_conflict) for side in stale.sides] == [
            ("label", "mine", "theirs", True),
        ]
        assert page.context["data"]["reasoning"] == TYPED
        assert page.context["data"]["was_base"] == before["base"]
        assert "bob has just changed the label, confidence and reasoning" in page.content.decode()
    assert (
        client.post(
            reverse("draft", args=[annotation.pk]),
            page.context["data"] | {"label": "mine too"},
            headers=SCRIPT,
        ).json()["state"]
        == "saved"
    )
    # What was seen once is asked again: a draft keeps the base that its writer began from.
    assert _open(client, annotation).context["stale"].sides[0].mine == "mine too"


def test_it_merges_what_only_others_changed_and_says_so(
    client: Client, annotation: Annotation, bob: User
) -> None:
    _save(client, annotation)
    client.force_login(bob)
    post_decision(client, annotation, confidence="0.9")
    client.force_login(User.objects.get(username="alice"))
    page = _open(client, annotation)
    assert page.context["stale"] is None
    assert (page.context["data"]["confidence"], page.context["data"]["reasoning"]) == ("0.9", TYPED)
    assert "bob has just changed the confidence" in page.content.decode()


def test_it_keeps_its_base_when_it_cannot_be_compared_yet(
    client: Client, annotation: Annotation
) -> None:
    before = filled_form(annotation)
    _save(client, annotation, confidence="a lot")
    Annotation.objects.filter(pk=annotation.pk).update(label="other")
    assert _open(client, annotation).context["data"]["base"] == before["base"]


def test_it_is_discarded_by_one_click(client: Client, annotation: Annotation) -> None:
    _save(client, annotation)
    response = client.post(reverse("discard_draft", args=[annotation.pk]), follow=True)
    assert "Draft discarded." in response.content.decode()
    assert response.context["data"]["reasoning"] == ""
    assert response.context["item"].machine["reasoning"] == "Said the machine."
    assert not Draft.objects.exists()


def test_it_works_without_scripts(client: Client, annotation: Annotation) -> None:
    url, form = (
        reverse("draft", args=[annotation.pk]),
        filled_form(annotation) | {"reasoning": TYPED},
    )
    page = client.post(url, form, follow=True)
    assert "Draft saved on the server." in page.content.decode()
    assert escape(TYPED) in page.content.decode()
    other = client.post(url, filled_form(annotation) | {"reasoning": "Something else"})
    assert other.status_code == 409
    assert escape(TYPED) in other.content.decode()
    assert other.context["data"]["reasoning"] == "Something else"
    assert client.post(url, other.context["data"]).status_code == 302
    assert Draft.objects.get().typed["reasoning"] == "Something else"


@pytest.mark.parametrize(
    "damage",
    [
        {"base": "{}"},
        {"base": ""},
        {"decision_id": "1"},
        {"reasoning": "a\0b"},
        {"reasoning": "x" * 300_000},
        {"draft": "x"},
    ],
)
def test_it_refuses_what_is_no_form_of_ours_or_too_much(
    client: Client, annotation: Annotation, damage: dict[str, str]
) -> None:
    response = _save(client, annotation, **damage)
    assert response.status_code == 422
    assert response.json()["why"]
    page = client.post(
        reverse("draft", args=[annotation.pk]), filled_form(annotation, label="kept") | damage
    )
    assert page.status_code == 422
    assert page.context["data"]["label"] == "kept"
    assert not Draft.objects.exists()


def test_it_keeps_so_many_drafts_a_person_and_refuses_the_next(
    client: Client, annotation: Annotation, alice: User
) -> None:
    rows = [make_annotation() for _ in range(services.MAX_DRAFTS)]
    common: dict[str, Any] = {"person": alice, "base": {}, "typed": {}, "saved_at": timezone.now()}
    Draft.objects.bulk_create(
        Draft(annotation=row, decision_id=uuid.uuid4(), **common) for row in rows
    )
    response = _save(client, annotation)
    assert (response.status_code, response.json()["why"][:15]) == (422, "You have 500 dr")
    assert (
        _save(client, rows[0], draft=str(Draft.objects.get(annotation=rows[0]).edition)).status_code
        == 200
    )


def test_it_refuses_what_somebody_else_had_typed(
    client: Client, annotation: Annotation, bob: User
) -> None:
    assert _save(client, annotation, person=bob.pk).status_code == 403
    form = filled_form(annotation, person=bob.pk)
    for door in ("decide", "skip", "defer", "discard_draft"):
        response = client.post(reverse(door, args=[annotation.pk]), form)
        assert response.status_code == 403
        assert "This form belongs to somebody else" in response.content.decode()
    assert not Draft.objects.exists()
    assert not Decision.objects.exists()


def test_it_is_offered_beside_what_the_page_was_opened_for(
    client: Client, annotation: Annotation
) -> None:
    change = make_change(annotation, state="refused", fields={"label": "refused"})
    _save(client, annotation)
    page = client.get(reverse("review", args=[annotation.pk]), {"change": change.pk})
    assert page.context["data"]["choice"] == "refused"
    assert json.loads(page.context["offered_draft"])["form"]["reasoning"] == TYPED


def test_it_lists_ones_own_drafts(
    client: Client, annotation: Annotation, alice: User, bob: User
) -> None:
    make_annotation()
    _save(client, annotation)
    response = client.get("/annotations?show=drafts")
    assert [line.pk for line in response.context["lines"]] == [annotation.pk]
    assert {show.value: number for show, number, _ in response.context["chips"]}["drafts"] == 1


def test_it_is_forgotten_when_nobody_has_touched_it_for_long(
    client: Client, annotation: Annotation
) -> None:
    _save(client, annotation)
    Draft.objects.update(saved_at=timezone.now() - timedelta(days=settings.DRAFT_DAYS, hours=-1))
    forget_drafts(timestamp=0)
    assert Draft.objects.exists()
    Draft.objects.update(saved_at=timezone.now() - timedelta(days=settings.DRAFT_DAYS, hours=1))
    forget_drafts(timestamp=0)
    assert not Draft.objects.exists()


@pytest.mark.parametrize("door", ["draft", "discard_draft"])
def test_it_takes_only_posts_about_what_is_there(
    client: Client, annotation: Annotation, door: str
) -> None:
    assert client.get(reverse(door, args=[annotation.pk])).status_code == 405
    assert client.post(reverse(door, args=[987654321])).status_code == 404
