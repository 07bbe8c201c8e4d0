"""Give each idempotency key a random seed, which its decision ids follow from, and say whether it is claimed."""

import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("api", "0002_no_index_twice")]

    operations = [
        migrations.AddField(
            model_name="keptanswer",
            name="is_claimed",
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name="keptanswer",
            name="seed",
            field=models.UUIDField(default=uuid.uuid4),
        ),
        # One default for all rows that are there already: nobody's ids may follow from another one's.
        migrations.RunSQL("UPDATE api_keptanswer SET seed = gen_random_uuid()", migrations.RunSQL.noop),
    ]
