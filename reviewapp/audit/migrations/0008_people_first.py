"""Index what people did: the history page opens with it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0007_request_index")]

    operations = [
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                condition=models.Q(("origin__in", ("web", "api", "shell", "sql"))),
                fields=["-at", "-id"],
                name="event_by_people",
            ),
        ),
    ]
