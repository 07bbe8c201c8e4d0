"""Exports: a file that somebody took out, with its manifest."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import reviewapp.audit.trigger_sql


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0017_prefetched_leases'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=20)),
                ('format', models.CharField(max_length=10)),
                ('query', models.TextField(default='')),
                ('options', models.JSONField(default=dict)),
                ('rows', models.BigIntegerField(null=True)),
                ('size', models.BigIntegerField(null=True)),
                ('sha256', models.CharField(default='', max_length=64)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='export',
            trigger=pgtrigger.compiler.Trigger(name='tracked', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare="DECLARE diff jsonb := '{}'; acting jsonb := '{}'; acting_id bigint; acting_origin text := 'sql'; acting_note text := 'as database user ' || session_user || coalesce(' through ' || nullif(current_setting('application_name'), ''), '');", func='\n    IF TG_OP = \'INSERT\' THEN IF coalesce(to_jsonb(NEW.kind), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'kind\', jsonb_build_array(NULL, NEW.kind)); END IF; IF coalesce(to_jsonb(NEW.format), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'format\', jsonb_build_array(NULL, NEW.format)); END IF; IF coalesce(to_jsonb(NEW.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(NULL, NEW.query)); END IF; IF coalesce(to_jsonb(NEW.rows), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'rows\', jsonb_build_array(NULL, NEW.rows)); END IF; IF coalesce(to_jsonb(NEW.sha256), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'sha256\', jsonb_build_array(NULL, NEW.sha256)); END IF; ELSIF TG_OP = \'DELETE\' THEN IF coalesce(to_jsonb(OLD.kind), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'kind\', jsonb_build_array(OLD.kind, NULL)); END IF; IF coalesce(to_jsonb(OLD.format), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'format\', jsonb_build_array(OLD.format, NULL)); END IF; IF coalesce(to_jsonb(OLD.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NULL)); END IF; IF coalesce(to_jsonb(OLD.rows), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'rows\', jsonb_build_array(OLD.rows, NULL)); END IF; IF coalesce(to_jsonb(OLD.sha256), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'sha256\', jsonb_build_array(OLD.sha256, NULL)); END IF; ELSE IF OLD.kind IS DISTINCT FROM NEW.kind THEN diff := diff || jsonb_build_object(\'kind\', jsonb_build_array(OLD.kind, NEW.kind)); END IF; IF OLD.format IS DISTINCT FROM NEW.format THEN diff := diff || jsonb_build_object(\'format\', jsonb_build_array(OLD.format, NEW.format)); END IF; IF OLD.query IS DISTINCT FROM NEW.query THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NEW.query)); END IF; IF OLD.rows IS DISTINCT FROM NEW.rows THEN diff := diff || jsonb_build_object(\'rows\', jsonb_build_array(OLD.rows, NEW.rows)); END IF; IF OLD.sha256 IS DISTINCT FROM NEW.sha256 THEN diff := diff || jsonb_build_object(\'sha256\', jsonb_build_array(OLD.sha256, NEW.sha256)); END IF; IF OLD.person_id IS DISTINCT FROM NEW.person_id THEN diff := diff || jsonb_build_object(\'person_id\', jsonb_build_array(OLD.person_id, NEW.person_id)); END IF; IF OLD.created_at IS DISTINCT FROM NEW.created_at THEN diff := diff || jsonb_build_object(\'created_at\', jsonb_build_array(OLD.created_at, NEW.created_at)); END IF; IF OLD.id IS DISTINCT FROM NEW.id THEN diff := diff || jsonb_build_object(\'id\', jsonb_build_array(OLD.id, NEW.id)); END IF; END IF;\n    IF diff = \'{}\' AND TG_OP = \'UPDATE\' THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce(current_setting(\'reviewapp.acting\', true), \'\') <> \'\' THEN\n        BEGIN\n            acting := current_setting(\'reviewapp.acting\')::jsonb;\n            acting_id := (acting->>\'actor_id\')::bigint;\n            IF acting->>\'origin\' IN (\'web\', \'api\', \'worker\', \'webhook\', \'pull\', \'shell\', \'sql\') THEN\n                acting_origin := acting->>\'origin\';\n                acting_note := coalesce(acting->>\'note\', \'\');\n            ELSE\n                RAISE EXCEPTION \'no such origin\';\n            END IF;\n        EXCEPTION WHEN OTHERS THEN\n            acting := \'{}\';\n            acting_id := NULL;\n            acting_note := acting_note || \', with an unreadable reviewapp.acting\';\n        END;\n    END IF;\n    INSERT INTO public.audit_event\n        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)\n    VALUES (\n        clock_timestamp(),\n        acting_id,\n        left(coalesce(acting->>\'actor_name\', session_user), 150),\n        CASE TG_OP WHEN \'DELETE\' THEN \'export.deleted\' WHEN \'INSERT\' THEN \'export.started\' ELSE \'export.finished\' END,\n        coalesce(CASE TG_OP WHEN \'DELETE\' THEN \'exports/\' || OLD.id ELSE \'exports/\' || NEW.id END, TG_TABLE_NAME || \'/\' || CASE TG_OP WHEN \'DELETE\' THEN OLD.id ELSE NEW.id END),\n        coalesce(NULL, \'\'),\n        acting_origin,\n        left(coalesce(acting->>\'request_id\', \'\'), 64),\n        diff,\n        left(acting_note, 20000)\n    );\n    RETURN NULL;\n', hash='86217dc07fec97ebe091eeeb704a3fb0bd15becd', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_tracked_1a529', table='annotations_export', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='export',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func="RAISE EXCEPTION '% cannot be truncated: it would leave no history', TG_TABLE_NAME;", hash='27d765033c7e64da1185f0f63f8b1c0f1a47d050', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_e000b', table='annotations_export', when='BEFORE')),
        ),
    ]
