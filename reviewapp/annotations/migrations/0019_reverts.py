"""Reverts: decisions that a lead takes back together, each with its result."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import reviewapp.audit.trigger_sql


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0018_exports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Revert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(max_length=500)),
                ('query', models.TextField(default='')),
                ('stopped', models.TextField(default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(null=True)),
                ('actor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reverts', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='again', to='annotations.revert')),
            ],
        ),
        migrations.CreateModel(
            name='RevertedDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Reverted'), ('skipped', 'Skipped'), ('failed', 'Refused')], default='waiting', max_length=10)),
                ('effect', models.CharField(default='', max_length=20)),
                ('problem', models.TextField(default='')),
                ('done_at', models.DateTimeField(null=True)),
                ('answer', models.CharField(default='', max_length=500)),
                ('answered_at', models.DateTimeField(null=True)),
                ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reverted_by', to='annotations.decision')),
                ('replacement', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaces', to='annotations.decision')),
                ('revert', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotations.revert')),
            ],
        ),
        migrations.AddIndex(
            model_name='revert',
            index=models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['id'], name='revert_unfinished'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='revert',
            trigger=pgtrigger.compiler.Trigger(name='tracked', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare="DECLARE diff jsonb := '{}'; acting jsonb := '{}'; acting_id bigint; acting_origin text := 'sql'; acting_note text := 'as database user ' || session_user || coalesce(' through ' || nullif(current_setting('application_name'), ''), '');", func='\n    IF TG_OP = \'INSERT\' THEN IF coalesce(to_jsonb(NEW.reason), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'reason\', jsonb_build_array(NULL, NEW.reason)); END IF; IF coalesce(to_jsonb(NEW.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(NULL, NEW.query)); END IF; IF coalesce(to_jsonb(NEW.stopped), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(NULL, NEW.stopped)); END IF; IF coalesce(to_jsonb(NEW.finished_at), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(NULL, NEW.finished_at)); END IF; ELSIF TG_OP = \'DELETE\' THEN IF coalesce(to_jsonb(OLD.reason), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'reason\', jsonb_build_array(OLD.reason, NULL)); END IF; IF coalesce(to_jsonb(OLD.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NULL)); END IF; IF coalesce(to_jsonb(OLD.stopped), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(OLD.stopped, NULL)); END IF; IF coalesce(to_jsonb(OLD.finished_at), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(OLD.finished_at, NULL)); END IF; ELSE IF OLD.reason IS DISTINCT FROM NEW.reason THEN diff := diff || jsonb_build_object(\'reason\', jsonb_build_array(OLD.reason, NEW.reason)); END IF; IF OLD.query IS DISTINCT FROM NEW.query THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NEW.query)); END IF; IF OLD.stopped IS DISTINCT FROM NEW.stopped THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(OLD.stopped, NEW.stopped)); END IF; IF OLD.finished_at IS DISTINCT FROM NEW.finished_at THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(OLD.finished_at, NEW.finished_at)); END IF; IF OLD.actor_id IS DISTINCT FROM NEW.actor_id THEN diff := diff || jsonb_build_object(\'actor_id\', jsonb_build_array(OLD.actor_id, NEW.actor_id)); END IF; IF OLD.reverts_id IS DISTINCT FROM NEW.reverts_id THEN diff := diff || jsonb_build_object(\'reverts_id\', jsonb_build_array(OLD.reverts_id, NEW.reverts_id)); END IF; IF OLD.created_at IS DISTINCT FROM NEW.created_at THEN diff := diff || jsonb_build_object(\'created_at\', jsonb_build_array(OLD.created_at, NEW.created_at)); END IF; IF OLD.id IS DISTINCT FROM NEW.id THEN diff := diff || jsonb_build_object(\'id\', jsonb_build_array(OLD.id, NEW.id)); END IF; END IF;\n    IF diff = \'{}\' AND TG_OP = \'UPDATE\' THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce(current_setting(\'reviewapp.acting\', true), \'\') <> \'\' THEN\n        BEGIN\n            acting := current_setting(\'reviewapp.acting\')::jsonb;\n            acting_id := (acting->>\'actor_id\')::bigint;\n            IF acting->>\'origin\' IN (\'web\', \'api\', \'worker\', \'webhook\', \'pull\', \'shell\', \'sql\') THEN\n                acting_origin := acting->>\'origin\';\n                acting_note := coalesce(acting->>\'note\', \'\');\n            ELSE\n                RAISE EXCEPTION \'no such origin\';\n            END IF;\n        EXCEPTION WHEN OTHERS THEN\n            acting := \'{}\';\n            acting_id := NULL;\n            acting_note := acting_note || \', with an unreadable reviewapp.acting\';\n        END;\n    END IF;\n    INSERT INTO public.audit_event\n        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)\n    VALUES (\n        clock_timestamp(),\n        acting_id,\n        left(coalesce(acting->>\'actor_name\', session_user), 150),\n        CASE TG_OP WHEN \'DELETE\' THEN \'revert.deleted\' WHEN \'INSERT\' THEN \'revert.started\' ELSE \'revert.finished\' END,\n        coalesce(CASE TG_OP WHEN \'DELETE\' THEN \'reverts/\' || OLD.id ELSE \'reverts/\' || NEW.id END, TG_TABLE_NAME || \'/\' || CASE TG_OP WHEN \'DELETE\' THEN OLD.id ELSE NEW.id END),\n        coalesce(NULL, \'\'),\n        acting_origin,\n        left(coalesce(acting->>\'request_id\', \'\'), 64),\n        diff,\n        left(acting_note, 20000)\n    );\n    RETURN NULL;\n', hash='0d0d4b9b11d76748f7b654210ff4d60b2172c9e6', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_tracked_7bdeb', table='annotations_revert', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='revert',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func="RAISE EXCEPTION '% cannot be truncated: it would leave no history', TG_TABLE_NAME;", hash='d2dfe95c16228f872c2116cec3df058b31ffc917', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_2195a', table='annotations_revert', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='reverteddecision',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['revert', 'id'], name='reverted_waiting'),
        ),
        migrations.AddConstraint(
            model_name='reverteddecision',
            constraint=models.UniqueConstraint(fields=('revert', 'decision'), name='reverted_once_each'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reverteddecision',
            trigger=pgtrigger.compiler.Trigger(name='tracked', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare="DECLARE diff jsonb := '{}'; acting jsonb := '{}'; acting_id bigint; acting_origin text := 'sql'; acting_note text := 'as database user ' || session_user || coalesce(' through ' || nullif(current_setting('application_name'), ''), '');", func='\n    IF TG_OP = \'INSERT\' THEN IF coalesce(to_jsonb(NEW.answer), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'answer\', jsonb_build_array(NULL, NEW.answer)); END IF; ELSIF TG_OP = \'DELETE\' THEN IF coalesce(to_jsonb(OLD.answer), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'answer\', jsonb_build_array(OLD.answer, NULL)); END IF; ELSE IF OLD.answer IS DISTINCT FROM NEW.answer THEN diff := diff || jsonb_build_object(\'answer\', jsonb_build_array(OLD.answer, NEW.answer)); END IF; IF OLD.revert_id IS DISTINCT FROM NEW.revert_id THEN diff := diff || jsonb_build_object(\'revert_id\', jsonb_build_array(OLD.revert_id, NEW.revert_id)); END IF; IF OLD.decision_id IS DISTINCT FROM NEW.decision_id THEN diff := diff || jsonb_build_object(\'decision_id\', jsonb_build_array(OLD.decision_id, NEW.decision_id)); END IF; IF OLD.id IS DISTINCT FROM NEW.id THEN diff := diff || jsonb_build_object(\'id\', jsonb_build_array(OLD.id, NEW.id)); END IF; IF OLD.state IS DISTINCT FROM NEW.state AND (OLD.state <> \'waiting\') THEN diff := diff || jsonb_build_object(\'state\', jsonb_build_array(OLD.state, NEW.state)); END IF; IF OLD.replacement_id IS DISTINCT FROM NEW.replacement_id AND (OLD.state <> \'waiting\') THEN diff := diff || jsonb_build_object(\'replacement_id\', jsonb_build_array(OLD.replacement_id, NEW.replacement_id)); END IF; END IF;\n    IF diff = \'{}\' AND TG_OP = \'UPDATE\' THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce(current_setting(\'reviewapp.acting\', true), \'\') <> \'\' THEN\n        BEGIN\n            acting := current_setting(\'reviewapp.acting\')::jsonb;\n            acting_id := (acting->>\'actor_id\')::bigint;\n            IF acting->>\'origin\' IN (\'web\', \'api\', \'worker\', \'webhook\', \'pull\', \'shell\', \'sql\') THEN\n                acting_origin := acting->>\'origin\';\n                acting_note := coalesce(acting->>\'note\', \'\');\n            ELSE\n                RAISE EXCEPTION \'no such origin\';\n            END IF;\n        EXCEPTION WHEN OTHERS THEN\n            acting := \'{}\';\n            acting_id := NULL;\n            acting_note := acting_note || \', with an unreadable reviewapp.acting\';\n        END;\n    END IF;\n    INSERT INTO public.audit_event\n        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)\n    VALUES (\n        clock_timestamp(),\n        acting_id,\n        left(coalesce(acting->>\'actor_name\', session_user), 150),\n        CASE TG_OP WHEN \'DELETE\' THEN \'revert.deleted\' WHEN \'INSERT\' THEN \'revert.answered\' ELSE CASE WHEN OLD.answer <> NEW.answer THEN \'revert.answered\' ELSE \'revert.changed\' END END,\n        coalesce(CASE TG_OP WHEN \'DELETE\' THEN \'reverts/\' || OLD.revert_id ELSE \'reverts/\' || NEW.revert_id END, TG_TABLE_NAME || \'/\' || CASE TG_OP WHEN \'DELETE\' THEN OLD.id ELSE NEW.id END),\n        coalesce(NULL, \'\'),\n        acting_origin,\n        left(coalesce(acting->>\'request_id\', \'\'), 64),\n        diff,\n        left(acting_note, 20000)\n    );\n    RETURN NULL;\n', hash='9fa6d201dc1ce8f339a2333688143d9dc1700677', operation='UPDATE OR DELETE', pgid='pgtrigger_tracked_28150', table='annotations_reverteddecision', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='reverteddecision',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func="RAISE EXCEPTION '% cannot be truncated: it would leave no history', TG_TABLE_NAME;", hash='c2d4d41532f0817479267d59e340189e5fdad1f7', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_e4bee', table='annotations_reverteddecision', when='BEFORE')),
        ),
    ]
