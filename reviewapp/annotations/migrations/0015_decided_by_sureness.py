"""Index decided items by confidence, and waiting ones by score: both lists were searched for."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotations", "0014_refill_search")]

    operations = [
        migrations.AddIndex(
            model_name="annotation",
            index=models.Index(
                condition=models.Q(("status__in", ["decided", "undecidable"])),
                fields=["sureness", "id"],
                name="annotation_decided_sureness",
            ),
        ),
        migrations.AddIndex(
            model_name="annotation",
            index=models.Index(
                condition=models.Q(("status", "waiting")),
                fields=["relevance", "id"],
                name="annotation_waiting_score",
            ),
        ),
    ]
