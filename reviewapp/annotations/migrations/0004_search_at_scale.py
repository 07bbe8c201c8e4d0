import django.contrib.postgres.indexes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotations", "0003_drafts"),
        ("retrievers", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="annotation",
            index=models.Index(
                condition=models.Q(("decided_at__isnull", False)),
                fields=["reviewer", "label"],
                name="annotation_reviewer_label",
            ),
        ),
        # The index stays as it is; only how much may wait to be sorted into it changes.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    [
                        "ALTER INDEX annotation_search SET (gin_pending_list_limit = 64)",
                        "SELECT gin_clean_pending_list('annotation_search')",
                    ],
                    "ALTER INDEX annotation_search RESET (gin_pending_list_limit)",
                ),
            ],
            state_operations=[
                migrations.RemoveIndex(model_name="annotation", name="annotation_search"),
                migrations.AddIndex(
                    model_name="annotation",
                    index=django.contrib.postgres.indexes.GinIndex(
                        fields=["search"], gin_pending_list_limit=64, name="annotation_search"
                    ),
                ),
            ],
        ),
    ]
