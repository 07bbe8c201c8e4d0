"""The migrations make the very tables, indexes and triggers that the models declare."""

from __future__ import annotations

import pgtrigger
import pytest
from django.core.management import call_command
from django.db import connection

pytestmark = pytest.mark.django_db


def test_it_has_no_change_without_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_it_installs_every_trigger_as_declared() -> None:
    declared = {
        trigger.get_pgid(model): trigger.compile(model).hash
        for model, trigger in pgtrigger.registered()
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, obj_description(oid, 'pg_trigger') FROM pg_trigger"
            " WHERE starts_with(tgname, 'pgtrigger_') AND tgenabled = 'O'"
        )
        installed = dict(cursor.fetchall())
    assert installed == declared
