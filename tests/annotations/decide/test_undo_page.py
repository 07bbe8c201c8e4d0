"""Undo on the review page: the button with its seconds, and the preview when it is too late."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision, SetAside, Undo
from reviewapp.outbox.models import Change
from tests.decisions import decide, filled_form, post_decision
from tests.factories import LONG_AGO, make_annotation, make_retriever

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(client: Client, alice: User) -> Annotation:
    client.force_login(alice)
    return make_annotation(reasoning="On the door.")


def decide_on_page(client: Client, annotation: Annotation, **values: Any) -> Decision:
    annotation.refresh_from_db()
    assert post_decision(client, annotation, **values).status_code == 302
    return Decision.objects.latest("id")


def page_text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_it_holds_for_as_long_as_the_person_or_the_site_says(
    client: Client, item: Annotation, alice: User, settings: Settings
) -> None:
    settings.UNDO_SECONDS = 7
    for own, held in ((None, 7), (42, 42), (0, 0)):
        User.objects.filter(pk=alice.pk).update(undo_seconds=own)
        assert decide_on_page(client, item, label=f"after {own}").held_for == held


def test_it_offers_undo_with_the_seconds_left(client: Client, item: Annotation) -> None:
    decision = decide_on_page(client, item, label="no logo")
    page = page_text(client.get(reverse("review", args=[make_annotation(item.retriever).pk])))
    assert f'action="{reverse("undo", args=[decision.pk])}"' in page
    assert 'data-action="undo"' in page
    assert "data-seconds-left" in page


def test_it_opens_the_item_again_with_what_was_submitted(client: Client, item: Annotation) -> None:
    decision = decide_on_page(
        client, item, label="no logo", confidence="0.9", reasoning="Wrong van."
    )
    answer = client.post(reverse("undo", args=[decision.pk]) + "?show=all", follow=True)
    assert (
        answer.redirect_chain[0][0]
        == f"{reverse('review', args=[item.pk])}?show=all&again={decision.pk}"
    )
    assert "Undone. Nothing was sent." in page_text(answer)
    form = answer.context["data"]
    assert (form["choice"], form["confidence"], form["reasoning"]) == (
        "no logo",
        "0.9",
        "Wrong van.",
    )
    assert form["decision_id"] != str(decision.decision_id)
    item.refresh_from_db()
    assert (item.status, item.label) == ("waiting", "logo")


def test_it_brings_the_reason_why_it_could_not_be_told_back(
    client: Client, item: Annotation
) -> None:
    decision = decide_on_page(client, item, outcome="undecidable", reasoning="Too dark.")
    answer = client.post(reverse("undo", args=[decision.pk]), follow=True)
    assert answer.context["data"]["reasoning"] == "Too dark."
    assert answer.context["cannot_tell"]


def test_it_goes_back_one_decision_after_the_other(client: Client, item: Annotation) -> None:
    other = make_annotation(item.retriever)
    first, second = (
        decide_on_page(client, item, label="no logo"),
        decide_on_page(client, other, label="van"),
    )
    page = client.post(reverse("undo", args=[second.pk]), follow=True)
    assert page.context["last_standing"].pk == first.pk
    page = client.post(reverse("undo", args=[first.pk]), follow=True)
    assert page.context["last_standing"] is None
    assert page_text(page).count("Undone</span>") == 2


def test_it_previews_a_new_decision_when_it_is_too_late(client: Client, item: Annotation) -> None:
    decision = decide_on_page(client, item, label="no logo", reasoning="Wrong van.")
    Change.objects.update(claimed_at=LONG_AGO)
    answer = client.post(reverse("undo", args=[decision.pk]))
    assert answer.status_code == 409
    assert "Already sent to Mixpeek." in page_text(answer)
    assert [field.name for field in answer.context["undoing"].reversal.restored] == [
        "label",
        "reasoning",
    ]
    form = {name: value for name, value in answer.context["data"].items() if value is not None}
    assert (form["choice"], form["reasoning"]) == ("logo", "")
    assert (
        client.post(reverse("decide", args=[item.pk]), {**form, "outcome": "decided"}).status_code
        == 302
    )
    item.refresh_from_db()
    assert (item.label, item.reasoning, item.status) == ("logo", "", "decided")
    assert Decision.objects.count() == 2


def test_it_does_not_take_the_machines_words_for_those_of_the_person_who_undoes(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    proposal = make_annotation(confidence=0.31, reasoning="Too blurred.")
    decision = decide(
        proposal, alice, label="van", confidence=0.9, reasoning="Wheels.", base=proposal.values()
    )
    Change.objects.update(claimed_at=LONG_AGO)
    form = client.get(reverse("undo", args=[decision.pk]), follow=True).context["data"]
    assert (form["choice"], form["confidence"], form["reasoning"]) == ("logo", "", "")


def test_it_shows_the_same_preview_to_who_only_looks(client: Client, item: Annotation) -> None:
    decision = decide_on_page(client, item, label="no logo")
    answer = client.get(reverse("undo", args=[decision.pk]), follow=True)
    assert answer.status_code == 200
    assert [field.new for field in answer.context["undoing"].reversal.restored] == ["logo"]
    assert not Undo.objects.exists()


def test_it_says_who_decided_since_and_keeps_theirs(
    client: Client, item: Annotation, bob: User
) -> None:
    mine = decide_on_page(client, item, label="no logo", confidence="0.9")
    decide(item, bob, label="van")
    answer = client.post(reverse("undo", args=[mine.pk]))
    assert answer.status_code == 409
    assert "bob has decided this again" in page_text(answer).replace("</strong>", "")
    undoing = answer.context["undoing"]
    assert (
        [field.name for field in undoing.reversal.restored],
        undoing.reversal.changed_since,
    ) == (
        ["confidence"],
        ("label",),
    )
    assert answer.context["data"]["choice"] == "van"


def test_it_says_that_a_created_annotation_cannot_be_forgotten(client: Client, alice: User) -> None:
    client.force_login(alice)
    nobodys = make_annotation(
        make_retriever(), annotation_id=None, version=None, upstream={}, label="", confidence=None
    )
    decision = decide_on_page(client, nobodys, label="logo")
    Change.objects.update(claimed_at=LONG_AGO)
    assert "This decision created the annotation" in page_text(
        client.post(reverse("undo", args=[decision.pk]))
    )


def test_it_says_when_there_is_nothing_to_set_back(
    client: Client, item: Annotation, alice: User
) -> None:
    User.objects.update(undo_seconds=0)
    decision = decide_on_page(client, item)
    assert "This decision changed nothing at Mixpeek" in page_text(
        client.post(reverse("undo", args=[decision.pk]))
    )


def test_it_says_that_a_late_copy_of_the_form_is_not_saved(
    client: Client, item: Annotation
) -> None:
    sent = filled_form(item, label="no logo")
    client.post(reverse("decide", args=[item.pk]), sent)
    client.post(reverse("undo", args=[Decision.objects.get().pk]))
    answer = client.post(reverse("decide", args=[item.pk]), sent)
    assert answer.status_code == 409
    assert "You have undone this decision" in page_text(answer)
    assert answer.context["data"]["decision_id"] != sent["decision_id"]


def test_it_shows_the_button_alone_once_the_hold_is_over(client: Client, item: Annotation) -> None:
    decide_on_page(client, item, label="no logo")
    part = client.get(reverse("last_decision"), headers={"HX-Request": "true"})
    assert page_text(part).lstrip().startswith('<div id="undo"')
    assert client.get(reverse("last_decision"))["Location"] == reverse("queue")


def test_it_undoes_a_skip_or_a_defer_when_that_came_last(client: Client, item: Annotation) -> None:
    other = make_annotation(item.retriever)
    decision = decide_on_page(client, item, label="no logo")
    for door in ("skip", "defer"):
        client.post(reverse(door, args=[other.pk]))
        page = client.get(
            reverse("review", args=[make_annotation(item.retriever).pk]) + "?show=all"
        )
        assert page.context["last_aside"].annotation_id == other.pk
        assert f'hx-post="{reverse("resume", args=[other.pk])}?show=all"' in page_text(page)
        undone = client.post(reverse("resume", args=[other.pk]) + "?show=all", follow=True)
        assert undone.redirect_chain[-1][0] == reverse("review", args=[other.pk]) + "?show=all"
        assert not SetAside.objects.exists()
        assert undone.context["last_aside"] is None
        assert undone.context["last_standing"].pk == decision.pk


def test_it_undoes_the_decision_that_came_after_a_skip(client: Client, item: Annotation) -> None:
    other = make_annotation(item.retriever)
    client.post(reverse("skip", args=[other.pk]))
    decision = decide_on_page(client, item, label="no logo")
    page = client.get(reverse("review", args=[other.pk]))
    assert page.context["last_aside"] is None
    assert page.context["last_standing"].pk == decision.pk
    page = client.post(reverse("undo", args=[decision.pk]), follow=True)
    assert page.context["last_aside"].annotation_id == other.pk


def test_it_counts_setting_aside_again_as_the_last_thing_done(
    client: Client, item: Annotation
) -> None:
    aside, decided = make_annotation(item.retriever), item
    client.post(reverse("defer", args=[aside.pk]))
    decide_on_page(client, decided, label="no logo")
    client.post(reverse("skip", args=[aside.pk]))
    page = client.get(reverse("review", args=[item.pk]))
    assert (page.context["last_aside"].annotation_id, page.context["last_aside"].kind) == (
        aside.pk,
        "skipped",
    )


def test_it_offers_undo_on_the_queue_that_the_last_decision_led_to(
    client: Client, item: Annotation
) -> None:
    queue = client.post(
        reverse("decide", args=[item.pk]), filled_form(item, label="no logo"), follow=True
    )
    assert queue.redirect_chain[-1][0] == reverse("queue")
    address = reverse("undo", args=[Decision.objects.get().pk])
    page = page_text(queue)
    assert f'action="{address}"' in page
    assert f'hx-post="{address}"' not in page
    part = page_text(
        client.get(reverse("last_decision") + "?whole=1", headers={"HX-Request": "true"})
    )
    assert f'action="{address}"' in part
    assert f'hx-post="{address}"' not in part


def test_it_offers_to_undo_cannot_tell_long_after(client: Client, item: Annotation) -> None:
    User.objects.update(undo_seconds=0)
    decision = decide_on_page(client, item, outcome="undecidable", reasoning="Too dark.")
    address = reverse("undo", args=[decision.pk])
    page = client.get(reverse("review", args=[item.pk]))
    assert page_text(page).count(f'action="{address}"') == 3
    assert "You can't tell:" in page_text(page)
    looked = client.get(address, follow=True)
    assert looked.context["undoing"].is_recallable
    assert "“Can't tell” was not sent to Mixpeek." in page_text(looked)
    Change.objects.update(state="delivered", settled_at=LONG_AGO, version=2)
    told = page_text(client.get(address, follow=True))
    assert "Mixpeek was told that you can't tell." in told
    assert "Can&#39;t tell, delivered v2" in told

    undone = client.post(address, follow=True)
    assert "will be told that “can&#39;t tell” no longer applies" in page_text(undone)
    assert Change.objects.get(verb="revert").state == "queued"
    assert (
        undone.redirect_chain[-1][0] == f"{reverse('review', args=[item.pk])}?again={decision.pk}"
    )
    item.refresh_from_db()
    assert (item.status, item.decision) == ("waiting", None)


def test_it_refuses_others_and_what_is_not_there(
    client: Client, item: Annotation, bob: User, stranger: User
) -> None:
    decision = decide_on_page(client, item, label="no logo")
    address = reverse("undo", args=[decision.pk])
    assert client.put(address).status_code == 405
    assert client.post(reverse("undo", args=[999_999])).status_code == 404
    client.force_login(bob)
    assert client.post(address).status_code == 404
    client.force_login(stranger)
    assert client.post(address).status_code == 403
    assert not Undo.objects.exists()


def test_it_names_the_item_it_shows_when_it_is_too_late(client: Client, item: Annotation) -> None:
    decision = decide_on_page(client, item, label="no logo")
    Change.objects.update(claimed_at=LONG_AGO)
    other = f"http://testserver{reverse('review', args=[make_annotation(item.retriever).pk])}"
    answer = client.post(
        reverse("undo", args=[decision.pk]) + "?show=all",
        headers={"HX-Request": "true", "HX-Current-URL": other},
    )
    assert answer.status_code == 409
    assert answer.headers["HX-Push-Url"] == reverse("review", args=[item.pk]) + "?show=all"
