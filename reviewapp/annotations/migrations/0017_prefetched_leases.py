"""Mark the leases of items that a page has loaded as its next one and does not show yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0016_decisions_by_time")]

    operations = [
        migrations.AddField(
            model_name="lease",
            name="is_prefetched",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
