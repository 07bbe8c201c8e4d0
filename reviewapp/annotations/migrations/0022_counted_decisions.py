"""What figures count of each decision, in a table that triggers keep; all decisions so far."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import reviewapp.audit.trigger_sql

# All decisions that were made before there were these triggers.
COUNT_ALL = """
    INSERT INTO public.annotations_counteddecision (
        decision_id, created_at, reviewer_id, retriever_id, version, effect, label_seen, label,
        confidence_seen, moved, is_on_machines_label, tenths, is_undone, delivery, delivery_tenths
    )
    SELECT
        decision.id,
        decision.created_at,
        decision.reviewer_id,
        annotation.retriever_id,
        decision.retriever_version,
        CASE
            WHEN decision.outcome = 'undecidable' THEN 'undecidable'
            WHEN decision.label = decision.base->>'label' THEN 'confirmed'
            WHEN first.is_first THEN 'relabelled'
            ELSE 'corrected'
        END,
        coalesce(decision.base->>'label', ''),
        decision.label,
        seen.confidence,
        abs(decision.confidence - seen.confidence),
        first.is_first
            AND coalesce(annotation.proposed->>'label', '') <> ''
            AND annotation.proposed->>'label' = coalesce(decision.base->>'label', ''),
        CASE WHEN decision.seconds < 1e8 THEN round(decision.seconds * 10) END,
        EXISTS (SELECT FROM public.annotations_undo undo WHERE undo.decision_id = decision.id),
        coalesce(change.state, ''),
        CASE WHEN change.state = 'delivered' THEN
            round(extract(epoch FROM change.settled_at - decision.created_at) * 10)
        END
    FROM public.annotations_decision decision
    JOIN public.annotations_annotation annotation ON annotation.id = decision.annotation_id
    LEFT JOIN public.outbox_change change ON change.cause = decision.decision_id
    CROSS JOIN LATERAL (
        SELECT coalesce(decision.base->'decision', 'null') = 'null' AS is_first
    ) first
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN jsonb_typeof(decision.base->'confidence') = 'number'
            THEN (decision.base->>'confidence')::float8
        END AS confidence
    ) seen
"""


class Migration(migrations.Migration):

    dependencies = [
        ('outbox', '0011_cannot_tell_verbs'),
        ('annotations', '0021_skip_off_an_index'),
        ('retrievers', '0008_missing_documents'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CountedDecision',
            fields=[
                ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='counted', serialize=False, to='annotations.decision')),
                ('created_at', models.DateTimeField()),
                ('version', models.IntegerField(null=True)),
                ('effect', models.CharField(max_length=12)),
                ('label_seen', models.TextField(default='')),
                ('label', models.CharField(max_length=100)),
                ('confidence_seen', models.FloatField(null=True)),
                ('moved', models.FloatField(null=True)),
                ('is_on_machines_label', models.BooleanField()),
                ('tenths', models.BigIntegerField(null=True)),
                ('is_undone', models.BooleanField(default=False)),
                ('delivery', models.CharField(default='', max_length=10)),
                ('delivery_tenths', models.BigIntegerField(null=True)),
            ],
        ),
        migrations.AddIndex(
            model_name='annotation',
            index=models.Index(condition=models.Q(('status', 'waiting')), fields=['created_at'], include=('retriever',), name='annotation_waiting_since'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='annotation',
            trigger=pgtrigger.compiler.Trigger(name='counted', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(condition='WHEN (OLD.retriever_id IS DISTINCT FROM NEW.retriever_id)', func='\n    UPDATE public.annotations_counteddecision counted SET retriever_id = NEW.retriever_id\n    FROM public.annotations_decision decision\n    WHERE decision.annotation_id = NEW.id AND counted.decision_id = decision.id;\n    RETURN NULL;\n    ', hash='e5d1ca9462c940c429909b06917c4337272a4899', operation='UPDATE OF "retriever_id"', pgid='pgtrigger_counted_82acc', table='annotations_annotation', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='decision',
            trigger=pgtrigger.compiler.Trigger(name='counted', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func="\n    INSERT INTO public.annotations_counteddecision (\n        decision_id, created_at, reviewer_id, retriever_id, version, effect, label_seen, label,\n        confidence_seen, moved, is_on_machines_label, tenths, is_undone, delivery, delivery_tenths\n    )\n    \n    SELECT\n        decision.id,\n        decision.created_at,\n        decision.reviewer_id,\n        annotation.retriever_id,\n        decision.retriever_version,\n        CASE\n            WHEN decision.outcome = 'undecidable' THEN 'undecidable'\n            WHEN decision.label = decision.base->>'label' THEN 'confirmed'\n            WHEN first.is_first THEN 'relabelled'\n            ELSE 'corrected'\n        END,\n        coalesce(decision.base->>'label', ''),\n        decision.label,\n        seen.confidence,\n        abs(decision.confidence - seen.confidence),\n        first.is_first\n            AND coalesce(annotation.proposed->>'label', '') <> ''\n            AND annotation.proposed->>'label' = coalesce(decision.base->>'label', ''),\n        CASE WHEN decision.seconds < 1e8 THEN round(decision.seconds * 10) END,\n        EXISTS (SELECT FROM public.annotations_undo undo WHERE undo.decision_id = decision.id),\n        coalesce(change.state, ''),\n        CASE WHEN change.state = 'delivered' THEN\n            round(extract(epoch FROM change.settled_at - decision.created_at) * 10)\n        END\n    FROM public.annotations_decision decision\n    JOIN public.annotations_annotation annotation ON annotation.id = decision.annotation_id\n    LEFT JOIN public.outbox_change change ON change.cause = decision.decision_id\n    CROSS JOIN LATERAL (\n        SELECT coalesce(decision.base->'decision', 'null') = 'null' AS is_first\n    ) first\n    CROSS JOIN LATERAL (\n        SELECT CASE\n            WHEN jsonb_typeof(decision.base->'confidence') = 'number'\n            THEN (decision.base->>'confidence')::float8\n        END AS confidence\n    ) seen\n\n WHERE decision.id = NEW.id; RETURN NULL;", hash='b8ac6e8d35b8740f5db0a7b608c872444300ade7', operation='INSERT', pgid='pgtrigger_counted_e009e', table='annotations_decision', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='undo',
            trigger=pgtrigger.compiler.Trigger(name='counted', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func='\n    UPDATE public.annotations_counteddecision SET is_undone = true\n    WHERE decision_id = NEW.decision_id;\n    RETURN NULL;\n    ', hash='492d809867326ba80dde89e2701b66bb37500ab0', operation='INSERT', pgid='pgtrigger_counted_b215c', table='annotations_undo', when='AFTER')),
        ),
        migrations.AddField(
            model_name='counteddecision',
            name='retriever',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='retrievers.retriever'),
        ),
        migrations.AddField(
            model_name='counteddecision',
            name='reviewer',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='counteddecision',
            index=models.Index(fields=['created_at'], name='counted_at'),
        ),
        migrations.RunSQL(COUNT_ALL, migrations.RunSQL.noop),
    ]
