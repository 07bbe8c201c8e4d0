"""Remember what Mixpeek answered for documents that did not come."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('retrievers', '0007_whole_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='MissingDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('document_id', models.CharField(max_length=200, unique=True)),
                ('problem', models.TextField(default='')),
                ('requested_at', models.DateTimeField()),
            ],
        ),
    ]
