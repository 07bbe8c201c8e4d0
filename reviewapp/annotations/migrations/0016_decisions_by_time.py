"""Index decisions by their time: lists, exports and figures of a period."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0015_decided_by_sureness")]

    operations = [
        migrations.AddIndex(
            model_name="decision",
            index=models.Index(fields=["created_at"], name="decision_at"),
        ),
    ]
