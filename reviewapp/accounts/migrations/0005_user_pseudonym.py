"""Give everybody a pseudonym: what Mixpeek is told instead of a name."""

from django.db import migrations, models

import reviewapp.accounts.models

FILL = """
UPDATE accounts_user SET pseudonym = 'reviewer_' || left(replace(gen_random_uuid()::text, '-', ''), 12)
WHERE pseudonym IS NULL
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_user_undo_seconds")]

    operations = [
        migrations.AddField(
            "user",
            "pseudonym",
            models.CharField(max_length=40, null=True, editable=False),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        # An index cannot be made while rows of the same transaction wait for their deferred checks.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.AlterField(
            "user",
            "pseudonym",
            models.CharField(
                max_length=40,
                unique=True,
                # The model's own function: makemigrations would see another one as a change.
                default=reviewapp.accounts.models.new_pseudonym,
                editable=False,
            ),
        ),
    ]
