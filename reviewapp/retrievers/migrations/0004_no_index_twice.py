"""Drop the index of each foreign key that another index begins with: every decision had to write both."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("retrievers", "0003_form_settings"),
    ]

    operations = [
        migrations.AlterField(
            model_name="execution",
            name="retriever",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="executions",
                to="retrievers.retriever",
            ),
        ),
        migrations.AlterField(
            model_name="guidelines",
            name="retriever",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="guideline_texts",
                to="retrievers.retriever",
            ),
        ),
        migrations.AlterField(
            model_name="labelset",
            name="retriever",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="label_sets",
                to="retrievers.retriever",
            ),
        ),
        migrations.AlterField(
            model_name="result",
            name="execution",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="results",
                to="retrievers.execution",
            ),
        ),
    ]
