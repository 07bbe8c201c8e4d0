"""Give every person the normal form of name and address, and let no two people share one.

Where two people share one already, nothing is changed and the people are named: a person has to say who keeps what.
"""

from __future__ import annotations

import unicodedata
from typing import Any

import pgtrigger.compiler
import pgtrigger.migrations
from django.core.management import CommandError
from django.db import migrations, models

COLLISIONS = """\
Nothing was changed. Sign-in takes these people for one another, because their names or addresses are the same but for
capitals or look-alike letters:

{people}

Decide who keeps it. Give each of the others another name, or no address, in the database, for example:

    UPDATE accounts_user SET username = 'another name' WHERE id = {id};
    UPDATE accounts_user SET email = '' WHERE id = {id};

Their decisions and history stay theirs. Then run migrate again."""


def lookup_key(text: str) -> str:
    """Return the same key for every spelling: NFKC, case-folded, as this migration defined it."""
    normalized = unicodedata.normalize("NFKC", text)
    return unicodedata.normalize("NFKC", normalized.casefold())


def fill_keys(apps: Any, schema_editor: Any) -> None:
    """Fill the keys of everybody; raises CommandError, which names the people, when two would have the same."""
    user_model = apps.get_model("accounts", "User")
    people = list(user_model.objects.using(schema_editor.connection.alias).order_by("id"))
    groups: dict[str, list[Any]] = {}

    for person in people:
        person.username_key = lookup_key(person.username)
        person.email_key = lookup_key(person.email) or None
        # One field takes both at sign-in, so a name may not be another person's address.
        for key in {person.username_key, person.email_key} - {None}:
            groups.setdefault(key, []).append(person)

    collisions = {key: group for key, group in groups.items() if len(group) > 1}
    if collisions:
        lines = [
            _described(key, person) for key, group in sorted(collisions.items()) for person in group
        ]
        last = max(person.pk for group in collisions.values() for person in group)
        raise CommandError(COLLISIONS.format(people="\n".join(lines), id=last))

    user_model.objects.bulk_update(people, ["username_key", "email_key"], batch_size=500)


def _described(key: str, person: Any) -> str:
    state = "" if person.is_active else ", deactivated"
    return f"    {key}: id {person.pk}, username {person.username}, address {person.email or '(none)'}{state}"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_user_pseudonym")]

    operations = [
        migrations.AddField("user", "username_key", models.TextField(null=True, editable=False)),
        migrations.AddField("user", "email_key", models.TextField(null=True, editable=False)),
        migrations.RunPython(fill_keys, migrations.RunPython.noop),
        # An index cannot be made while rows of the same transaction wait for their deferred checks.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AlterField("user", "username_key", models.TextField(editable=False)),
        migrations.AddConstraint(
            "user", models.UniqueConstraint(fields=["username_key"], name="one_person_a_name")
        ),
        migrations.AddConstraint(
            "user", models.UniqueConstraint(fields=["email_key"], name="one_person_an_address")
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="user",
            trigger=pgtrigger.compiler.Trigger(
                name="keys_follow",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n    IF NEW.username_key IS NULL\n        OR (NEW.username IS DISTINCT FROM OLD.username AND NEW.username_key = OLD.username_key)\n    THEN\n        NEW.username_key := lower(normalize(NEW.username, NFKC));\n    END IF;\n    IF NEW.email_key IS NOT DISTINCT FROM OLD.email_key AND NEW.email IS DISTINCT FROM OLD.email THEN\n        NEW.email_key := nullif(lower(normalize(NEW.email, NFKC)), '');\n    END IF;\n    RETURN NEW;\n    ",
                    hash="b5059e776cb16fa9beb4961b57bb11c0a9e320bf",
                    operation='INSERT OR UPDATE OF "username", "email"',
                    pgid="pgtrigger_keys_follow_f8fae",
                    table="accounts_user",
                    when="BEFORE",
                ),
            ),
        ),
    ]
