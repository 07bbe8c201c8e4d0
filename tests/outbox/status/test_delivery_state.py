"""The delivery chip, and the way out of a pause."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from markupsafe import escape

from reviewapp.accounts.models import User
from reviewapp.outbox import services
from reviewapp.outbox.models import Change, Pause
from reviewapp.outbox.status.presenters import Tags, end_sentence
from tests.factories import make_annotation, make_change, make_retriever

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("reason", "said"),
    [("not allowed", "not allowed."), ("Wait!", "Wait!"), (" Gone. ", "Gone."), ("", "")],
)
def test_it_says_a_reason_as_a_sentence(reason: str, said: str) -> None:
    assert end_sentence(reason) == said


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": "queued"}, "Queued"),
        ({"state": "queued", "attempts": 2}, "Waiting to try again"),
        ({"state": "delivered", "version": 7}, "Delivered v7"),
        ({"state": "delivered"}, "Delivered"),
        ({"state": "conflict"}, "Conflict"),
        ({"state": "refused"}, "Refused"),
        ({"state": "withdrawn"}, "Withdrawn"),
        ({"state": "queued", "verb": "cannot_tell"}, "Queued"),
        ({"state": "delivered", "verb": "cannot_tell", "version": 2}, "Can't tell, delivered v2"),
        ({"state": "withdrawn", "verb": "cannot_tell"}, "Can't tell, not sent"),
        ({"state": "delivered", "verb": "revert", "version": 3}, "reverted, delivered v3"),
    ],
)
def test_it_says_how_far_it_got(
    values: dict[str, object], words: str, client: Client, alice: User
) -> None:
    change = make_change(make_annotation(), **values)  # type: ignore[arg-type]
    client.force_login(alice)
    chip = client.get(f"/changes/{change.pk}", headers={"HX-Request": "true"}).content.decode()
    assert escape(words) in chip
    assert ("every 2s" in chip) == (change.state == Change.State.QUEUED)
    assert escape(words) in client.get(f"/changes/{change.pk}").content.decode()


def test_it_says_which_tags_come_and_which_go_and_no_others(client: Client, adam: User) -> None:
    retriever = make_retriever(tags=["images", "campaign"])
    change = Change.objects.create(
        ref=retriever.ref,
        due=timezone.now(),
        base={"name": "one", "tags": ["images", "campaign", "old, older"]},
        fields={"tags": {"add": ["all, in"], "remove": ["old, older"]}},
    )
    (side,) = change.sets()
    assert side.tags == Tags(
        seen=("images", "campaign", "old, older"),
        add=("all, in",),
        remove=("old, older",),
        theirs=(),
    )
    client.force_login(adam)
    listed = client.get("/deliveries").content.decode()
    assert re.findall(r"<del[^>]*>(?:<span[^>]*>without </span>)?([^<]*)</del>", listed) == [
        "old, older"
    ]
    assert re.findall(r"<ins[^>]*>([^<]*)</ins>", listed) == ["+ all, in"]
    alone = client.get(f"/changes/{change.pk}").content.decode()
    assert re.findall(r'<span class="tag clip" dir="auto">([^<]*)</span>', alone) == list(
        side.tags.seen
    )
    assert re.findall(r"<ins[^>]*>([^<]*)</ins>", alone) == ["+ all, in"]


def test_it_shows_the_pause_on_every_page_and_ends_it(client: Client, adam: User) -> None:
    services.pause(reason="Mixpeek does not accept the API key.")
    client.force_login(adam)
    assert "Mixpeek does not accept the API key." in client.get("/attention").content.decode()
    answer = client.post("/outbox/resume", {"next": "/attention"})
    assert (answer.status_code, answer["Location"]) == (302, "/attention")
    assert not Pause.objects.exists()
    page = client.get("/attention").content.decode()
    assert "Retrying. The next delivery will show whether Mixpeek accepts the API key." in page
    assert "Deliveries go on" not in page


def test_it_offers_to_go_on_only_to_whoever_may(client: Client, adam: User, alice: User) -> None:
    services.pause(reason="Mixpeek does not accept the API key")
    for person, offered in ((adam, True), (alice, False)):
        client.force_login(person)
        page = " ".join(client.get("/attention").content.decode().split())
        assert "the API key. Decisions since " in page
        assert "are kept here" in page
        assert ('action="/outbox/resume"' in page) is offered


def test_it_leads_from_a_delivery_to_what_was_delivered(client: Client, alice: User) -> None:
    annotation = make_annotation()
    change = make_change(annotation, reason="")
    client.force_login(alice)
    page = client.get(f"/changes/{change.pk}").content.decode()
    assert f"/by-ref?ref=annotations%2F{annotation.annotation_id}" in page


def test_it_never_leads_out_of_the_app(client: Client, adam: User) -> None:
    client.force_login(adam)
    assert client.post("/outbox/resume", {"next": "https://evil.example/"})["Location"] == "/"


def test_it_lets_only_an_admin_resume(client: Client, alice: User) -> None:
    services.pause(reason="Mixpeek does not accept the API key.")
    client.force_login(alice)
    assert client.post("/outbox/resume").status_code == 403
    assert Pause.objects.exists()
