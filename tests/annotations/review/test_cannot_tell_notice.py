"""What an item says of "can't tell": whether Mixpeek was told, and who else could not tell."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation, Decision
from reviewapp.outbox.models import Change
from tests.decisions import decide
from tests.factories import LONG_AGO, make_annotation

pytestmark = pytest.mark.django_db

WHY = "Too dark."


@pytest.fixture
def item(alice: User) -> Annotation:
    """An item of which alice cannot tell."""
    annotation = make_annotation()
    decide(annotation, alice, outcome=Decision.Outcome.UNDECIDABLE, reasoning=WHY)
    return annotation


def page_of(client: Client, person: User, annotation: Annotation) -> str:
    client.force_login(person)
    page = client.get(reverse("review", args=[annotation.pk]))
    return unescape(re.sub(r"\s+", " ", page.content.decode()))


def test_it_says_nothing_more_while_it_is_on_its_way(
    client: Client, alice: User, item: Annotation
) -> None:
    page = page_of(client, alice, item)
    assert f'You can\'t tell:</strong> <q dir="auto">{WHY}</q>' in page
    assert "Not sent" not in page


def test_it_says_why_it_was_not_sent(client: Client, alice: User, item: Annotation) -> None:
    reason = "Not sent: Mixpeek has no annotation of this document."
    Change.objects.update(state="withdrawn", reason=reason, settled_at=LONG_AGO)
    page = page_of(client, alice, item)
    assert reason in page
    assert "Can't tell, not sent" in page


def test_it_says_that_an_older_version_did_not_send_it(
    client: Client, alice: User, item: Annotation
) -> None:
    Change.objects.all().delete()
    assert "this version could not send “can't tell” yet" in page_of(client, alice, item)


def test_it_shows_that_another_installation_could_not_tell(client: Client, alice: User) -> None:
    edit = {
        "version": 1,
        "prior": {},
        "edited_at": "2026-11-30T09:00:00+00:00",
        "edited_by": "key_x",
        "edited_by_type": "api_key",
        "decision_id": "theirs",
        "outcome": "cannot_tell",
        "reason": WHY,
    }
    annotation = make_annotation(
        status="undecidable", version=2, revisions=[edit], upstream={"label": "logo"}
    )
    page = page_of(client, alice, annotation)
    assert "A reviewer at another installation can't tell</strong> (another key (key_x))" in page
    assert page.count(f'<q dir="auto">{WHY}</q>') == 2
    assert "can't tell" in page
