"""Transactional tests leave clean tables behind, and the guards in place."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection

from reviewapp.accounts.models import User
from reviewapp.audit.context import acting
from reviewapp.audit.models import Event
from reviewapp.outbox.models import Pause


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_turn", [1, 2])
def test_it_flushes_history_between_transactional_tests(_turn: int, alice: User) -> None:
    assert not Event.objects.exists()
    with acting(alice):
        Pause.objects.create(reason="key refused")
    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_still_refuses_to_truncate_in_a_transactional_test() -> None:
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="audit_event"):
        cursor.execute("TRUNCATE audit_event")
