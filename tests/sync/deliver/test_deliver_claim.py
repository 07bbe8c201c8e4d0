"""What a worker does when its claim ran out, or with a change it cannot make sense of."""

from __future__ import annotations

import pytest
from django.utils import timezone

from reviewapp.accounts.models import User
from reviewapp.annotations.models import Annotation
from reviewapp.mixpeek.client import Client
from reviewapp.outbox import claims
from reviewapp.outbox.models import Change
from reviewapp.sync.deliver import drain
from tests.decisions import queue_decision
from tests.sync.delivering import writes
from tests.tools.sandbox.running import Box

pytestmark = pytest.mark.django_db


def test_it_writes_nothing_once_its_claim_ran_out(
    annotation: Annotation, alice: User, box: Box, mixpeek_client: Client
) -> None:
    queue_decision(annotation, alice, label="no logo")
    late = claims.claim(timezone.now())
    assert late is not None
    late.due = timezone.now()
    box.clear()
    assert drain.attempt(late, mixpeek_client)
    late.refresh_from_db()
    assert (late.state, late.attempts, writes(box)) == ("queued", 0, [])


def test_it_waits_with_a_change_that_we_cannot_make_sense_of(
    annotation: Annotation, alice: User, mixpeek_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    change = queue_decision(annotation, alice, label="no logo")
    Change.objects.filter(pk=change.pk).update(fields=["not", "a", "mapping"])
    assert drain.drain(mixpeek_client) == 1
    change.refresh_from_db()
    assert (change.state, change.attempts) == ("queued", 1)
    assert "Something went wrong here" in change.reason
    assert annotation.ref in caplog.text
