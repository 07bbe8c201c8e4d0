"""A confirmation is one PATCH, and a new version only where it says who decided."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import drain
from tests.decisions import decide_by_form
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


def confirm(annotation: Annotation, actor: User) -> Change:
    decision = decide_by_form(annotation, actor, hold=0)
    return Change.objects.get(cause=decision.decision_id)


@pytest.mark.parametrize(("where", "version", "upstream"), [("metadata", 2, 2), ("none", None, 1)])
def test_it_is_one_write(
    annotation: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    settings: Settings,
    where: str,
    version: int | None,
    upstream: int,
) -> None:
    settings.MIXPEEK_WHO = where
    change = confirm(annotation, alice)
    drain.drain(mixpeek_client)
    change.refresh_from_db()
    (patch,) = box.received(method="PATCH")
    record = box.call("GET", f"/v1/annotations/{annotation.annotation_id}").json()
    assert patch["body"]["label"] == annotation.label
    assert (change.verb, change.state, change.version) == ("confirm", "delivered", version)
    assert record["version"] == upstream


@pytest.mark.parametrize(("where", "again"), [("metadata", 0), ("none", 1)])
def test_it_makes_one_version_at_most_when_its_answer_is_lost(
    annotation: Annotation,
    alice: User,
    box: Box,
    mixpeek_client: Client,
    settings: Settings,
    where: str,
    again: int,
) -> None:
    settings.MIXPEEK_WHO = where
    change = confirm(annotation, alice)
    box.faults([{"method": "PATCH", "drop": "after"}])
    drain.drain(mixpeek_client)
    Change.objects.update(due=timezone.now())
    box.clear()

    drain.drain(mixpeek_client)
    change.refresh_from_db()
    assert len(box.received(method="PATCH")) == again
    assert (change.state, change.version) == ("delivered", 2 if where == "metadata" else None)
