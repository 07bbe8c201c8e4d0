"""The versions at Mixpeek, each with its author and its time."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse

from reviewapp.accounts.models import User
from tests.factories import make_annotation


@pytest.mark.django_db
def test_it_shows_when_each_version_was_made(client: Client, alice: User) -> None:
    created = datetime(2026, 3, 1, 12, tzinfo=UTC)
    edited = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    revision = {
        "version": 1,
        "prior": {"label": "van"},
        "edited_at": edited.isoformat(),
        "edited_by": "key_night",
        "edited_by_type": "api_key",
    }
    annotation = make_annotation(version=2, revisions=[revision], created_at=created)
    client.force_login(alice)

    page = client.get(reverse("review", args=[annotation.pk])).content.decode()
    versions = page.partition('id="at_mixpeek"')[2].partition("</section>")[0]

    times = re.findall(r'<time datetime="([^"]+)" title="([^"]+)"[^>]*>([^<]+)</time>', versions)
    assert times == [
        (edited.isoformat(), "2026-03-02 09:30:00 UTC", "2 Mar 2026, 09:30 UTC"),
        (created.isoformat(), "2026-03-01 12:00:00 UTC", "1 Mar 2026, 12:00 UTC"),
    ]
