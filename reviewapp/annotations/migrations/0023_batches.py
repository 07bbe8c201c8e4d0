"""Batches: items that a person decides together, each with its result."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

import reviewapp.audit.trigger_sql


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0022_counted_decisions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(default='', max_length=100)),
                ('confidence', models.FloatField(null=True)),
                ('reasoning', models.TextField(default='')),
                ('query', models.TextField(default='')),
                ('stopped', models.TextField(default='')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='BatchItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shown', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Decided'), ('skipped', 'Skipped'), ('failed', 'Refused')], default='waiting', max_length=10)),
                ('effect', models.CharField(default='', max_length=20)),
                ('problem', models.TextField(default='')),
                ('done_at', models.DateTimeField(null=True)),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='revert',
            name='tracked',
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='revert',
            trigger=pgtrigger.compiler.Trigger(name='tracked', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare="DECLARE diff jsonb := '{}'; acting jsonb := '{}'; acting_id bigint; acting_origin text := 'sql'; acting_note text := 'as database user ' || session_user || coalesce(' through ' || nullif(current_setting('application_name'), ''), '');", func='\n    IF TG_OP = \'INSERT\' THEN IF coalesce(to_jsonb(NEW.reason), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'reason\', jsonb_build_array(NULL, NEW.reason)); END IF; IF coalesce(to_jsonb(NEW.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(NULL, NEW.query)); END IF; IF coalesce(to_jsonb(NEW.stopped), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(NULL, NEW.stopped)); END IF; IF coalesce(to_jsonb(NEW.finished_at), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(NULL, NEW.finished_at)); END IF; ELSIF TG_OP = \'DELETE\' THEN IF coalesce(to_jsonb(OLD.reason), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'reason\', jsonb_build_array(OLD.reason, NULL)); END IF; IF coalesce(to_jsonb(OLD.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NULL)); END IF; IF coalesce(to_jsonb(OLD.stopped), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(OLD.stopped, NULL)); END IF; IF coalesce(to_jsonb(OLD.finished_at), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(OLD.finished_at, NULL)); END IF; ELSE IF OLD.reason IS DISTINCT FROM NEW.reason THEN diff := diff || jsonb_build_object(\'reason\', jsonb_build_array(OLD.reason, NEW.reason)); END IF; IF OLD.query IS DISTINCT FROM NEW.query THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NEW.query)); END IF; IF OLD.stopped IS DISTINCT FROM NEW.stopped THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(OLD.stopped, NEW.stopped)); END IF; IF OLD.finished_at IS DISTINCT FROM NEW.finished_at THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(OLD.finished_at, NEW.finished_at)); END IF; IF OLD.actor_id IS DISTINCT FROM NEW.actor_id THEN diff := diff || jsonb_build_object(\'actor_id\', jsonb_build_array(OLD.actor_id, NEW.actor_id)); END IF; IF OLD.reverts_id IS DISTINCT FROM NEW.reverts_id THEN diff := diff || jsonb_build_object(\'reverts_id\', jsonb_build_array(OLD.reverts_id, NEW.reverts_id)); END IF; IF OLD.batch_id IS DISTINCT FROM NEW.batch_id THEN diff := diff || jsonb_build_object(\'batch_id\', jsonb_build_array(OLD.batch_id, NEW.batch_id)); END IF; IF OLD.created_at IS DISTINCT FROM NEW.created_at THEN diff := diff || jsonb_build_object(\'created_at\', jsonb_build_array(OLD.created_at, NEW.created_at)); END IF; IF OLD.id IS DISTINCT FROM NEW.id THEN diff := diff || jsonb_build_object(\'id\', jsonb_build_array(OLD.id, NEW.id)); END IF; END IF;\n    IF diff = \'{}\' AND TG_OP = \'UPDATE\' THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce(current_setting(\'reviewapp.acting\', true), \'\') <> \'\' THEN\n        BEGIN\n            acting := current_setting(\'reviewapp.acting\')::jsonb;\n            acting_id := (acting->>\'actor_id\')::bigint;\n            IF acting->>\'origin\' IN (\'web\', \'api\', \'worker\', \'webhook\', \'pull\', \'shell\', \'sql\') THEN\n                acting_origin := acting->>\'origin\';\n                acting_note := coalesce(acting->>\'note\', \'\');\n            ELSE\n                RAISE EXCEPTION \'no such origin\';\n            END IF;\n        EXCEPTION WHEN OTHERS THEN\n            acting := \'{}\';\n            acting_id := NULL;\n            acting_note := acting_note || \', with an unreadable reviewapp.acting\';\n        END;\n    END IF;\n    INSERT INTO public.audit_event\n        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)\n    VALUES (\n        clock_timestamp(),\n        acting_id,\n        left(coalesce(acting->>\'actor_name\', session_user), 150),\n        CASE TG_OP WHEN \'DELETE\' THEN \'revert.deleted\' WHEN \'INSERT\' THEN \'revert.started\' ELSE \'revert.finished\' END,\n        coalesce(CASE TG_OP WHEN \'DELETE\' THEN \'reverts/\' || OLD.id ELSE \'reverts/\' || NEW.id END, TG_TABLE_NAME || \'/\' || CASE TG_OP WHEN \'DELETE\' THEN OLD.id ELSE NEW.id END),\n        coalesce(NULL, \'\'),\n        acting_origin,\n        left(coalesce(acting->>\'request_id\', \'\'), 64),\n        diff,\n        left(acting_note, 20000)\n    );\n    RETURN NULL;\n', hash='2e2ffca4ce19e601066351b88a86ce56c65e2171', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_tracked_7bdeb', table='annotations_revert', when='AFTER')),
        ),
        migrations.AddField(
            model_name='batch',
            name='actor',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='revert',
            name='batch',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reverts', to='annotations.batch'),
        ),
        migrations.AddField(
            model_name='batchitem',
            name='annotation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotations.annotation'),
        ),
        migrations.AddField(
            model_name='batchitem',
            name='batch',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotations.batch'),
        ),
        migrations.AddField(
            model_name='batchitem',
            name='decision',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='batch_items', to='annotations.decision'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['actor', '-id'], name='batch_last_of'),
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['id'], name='batch_unfinished'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='batch',
            trigger=pgtrigger.compiler.Trigger(name='tracked', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare="DECLARE diff jsonb := '{}'; acting jsonb := '{}'; acting_id bigint; acting_origin text := 'sql'; acting_note text := 'as database user ' || session_user || coalesce(' through ' || nullif(current_setting('application_name'), ''), '');", func='\n    IF TG_OP = \'INSERT\' THEN IF coalesce(to_jsonb(NEW.label), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'label\', jsonb_build_array(NULL, NEW.label)); END IF; IF coalesce(to_jsonb(NEW.confidence), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'confidence\', jsonb_build_array(NULL, NEW.confidence)); END IF; IF coalesce(to_jsonb(NEW.reasoning), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'reasoning\', jsonb_build_array(NULL, NEW.reasoning)); END IF; IF coalesce(to_jsonb(NEW.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(NULL, NEW.query)); END IF; IF coalesce(to_jsonb(NEW.stopped), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(NULL, NEW.stopped)); END IF; IF coalesce(to_jsonb(NEW.finished_at), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(NULL, NEW.finished_at)); END IF; ELSIF TG_OP = \'DELETE\' THEN IF coalesce(to_jsonb(OLD.label), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'label\', jsonb_build_array(OLD.label, NULL)); END IF; IF coalesce(to_jsonb(OLD.confidence), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'confidence\', jsonb_build_array(OLD.confidence, NULL)); END IF; IF coalesce(to_jsonb(OLD.reasoning), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'reasoning\', jsonb_build_array(OLD.reasoning, NULL)); END IF; IF coalesce(to_jsonb(OLD.query), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NULL)); END IF; IF coalesce(to_jsonb(OLD.stopped), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(OLD.stopped, NULL)); END IF; IF coalesce(to_jsonb(OLD.finished_at), \'null\') NOT IN (\'null\', \'""\', \'{}\', \'[]\') THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(OLD.finished_at, NULL)); END IF; ELSE IF OLD.label IS DISTINCT FROM NEW.label THEN diff := diff || jsonb_build_object(\'label\', jsonb_build_array(OLD.label, NEW.label)); END IF; IF OLD.confidence IS DISTINCT FROM NEW.confidence THEN diff := diff || jsonb_build_object(\'confidence\', jsonb_build_array(OLD.confidence, NEW.confidence)); END IF; IF OLD.reasoning IS DISTINCT FROM NEW.reasoning THEN diff := diff || jsonb_build_object(\'reasoning\', jsonb_build_array(OLD.reasoning, NEW.reasoning)); END IF; IF OLD.query IS DISTINCT FROM NEW.query THEN diff := diff || jsonb_build_object(\'query\', jsonb_build_array(OLD.query, NEW.query)); END IF; IF OLD.stopped IS DISTINCT FROM NEW.stopped THEN diff := diff || jsonb_build_object(\'stopped\', jsonb_build_array(OLD.stopped, NEW.stopped)); END IF; IF OLD.finished_at IS DISTINCT FROM NEW.finished_at THEN diff := diff || jsonb_build_object(\'finished_at\', jsonb_build_array(OLD.finished_at, NEW.finished_at)); END IF; IF OLD.actor_id IS DISTINCT FROM NEW.actor_id THEN diff := diff || jsonb_build_object(\'actor_id\', jsonb_build_array(OLD.actor_id, NEW.actor_id)); END IF; IF OLD.created_at IS DISTINCT FROM NEW.created_at THEN diff := diff || jsonb_build_object(\'created_at\', jsonb_build_array(OLD.created_at, NEW.created_at)); END IF; IF OLD.id IS DISTINCT FROM NEW.id THEN diff := diff || jsonb_build_object(\'id\', jsonb_build_array(OLD.id, NEW.id)); END IF; END IF;\n    IF diff = \'{}\' AND TG_OP = \'UPDATE\' THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce(current_setting(\'reviewapp.acting\', true), \'\') <> \'\' THEN\n        BEGIN\n            acting := current_setting(\'reviewapp.acting\')::jsonb;\n            acting_id := (acting->>\'actor_id\')::bigint;\n            IF acting->>\'origin\' IN (\'web\', \'api\', \'worker\', \'webhook\', \'pull\', \'shell\', \'sql\') THEN\n                acting_origin := acting->>\'origin\';\n                acting_note := coalesce(acting->>\'note\', \'\');\n            ELSE\n                RAISE EXCEPTION \'no such origin\';\n            END IF;\n        EXCEPTION WHEN OTHERS THEN\n            acting := \'{}\';\n            acting_id := NULL;\n            acting_note := acting_note || \', with an unreadable reviewapp.acting\';\n        END;\n    END IF;\n    INSERT INTO public.audit_event\n        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)\n    VALUES (\n        clock_timestamp(),\n        acting_id,\n        left(coalesce(acting->>\'actor_name\', session_user), 150),\n        CASE TG_OP WHEN \'DELETE\' THEN \'batch.deleted\' WHEN \'INSERT\' THEN \'batch.started\' ELSE \'batch.finished\' END,\n        coalesce(CASE TG_OP WHEN \'DELETE\' THEN \'batches/\' || OLD.id ELSE \'batches/\' || NEW.id END, TG_TABLE_NAME || \'/\' || CASE TG_OP WHEN \'DELETE\' THEN OLD.id ELSE NEW.id END),\n        coalesce(NULL, \'\'),\n        acting_origin,\n        left(coalesce(acting->>\'request_id\', \'\'), 64),\n        diff,\n        left(acting_note, 20000)\n    );\n    RETURN NULL;\n', hash='b75dcf315dc5e42a700e3dd96ea7b9db95fc3304', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_tracked_d9aca', table='annotations_batch', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='batch',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func="RAISE EXCEPTION '% cannot be truncated: it would leave no history', TG_TABLE_NAME;", hash='d707a8458a00439a884496a83834cf3fd3605c06', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_804b0', table='annotations_batch', when='BEFORE')),
        ),
        migrations.AddIndex(
            model_name='batchitem',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['batch', 'id'], name='batch_waiting'),
        ),
        migrations.AddConstraint(
            model_name='batchitem',
            constraint=models.UniqueConstraint(fields=('batch', 'annotation'), name='in_batch_once_each'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='batchitem',
            trigger=pgtrigger.compiler.Trigger(name='tracked', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(declare="DECLARE diff jsonb := '{}'; acting jsonb := '{}'; acting_id bigint; acting_origin text := 'sql'; acting_note text := 'as database user ' || session_user || coalesce(' through ' || nullif(current_setting('application_name'), ''), '');", func="\n    IF TG_OP = 'INSERT' AND (NEW.state, NEW.effect, NEW.problem) = ('waiting', '', '') AND NEW.decision_id IS NULL THEN RETURN NULL; END IF; IF TG_OP = 'INSERT' THEN  ELSIF TG_OP = 'DELETE' THEN  ELSE IF OLD.batch_id IS DISTINCT FROM NEW.batch_id THEN diff := diff || jsonb_build_object('batch_id', jsonb_build_array(OLD.batch_id, NEW.batch_id)); END IF; IF OLD.annotation_id IS DISTINCT FROM NEW.annotation_id THEN diff := diff || jsonb_build_object('annotation_id', jsonb_build_array(OLD.annotation_id, NEW.annotation_id)); END IF; IF OLD.shown IS DISTINCT FROM NEW.shown THEN diff := diff || jsonb_build_object('shown', jsonb_build_array(OLD.shown, NEW.shown)); END IF; IF OLD.id IS DISTINCT FROM NEW.id THEN diff := diff || jsonb_build_object('id', jsonb_build_array(OLD.id, NEW.id)); END IF; IF OLD.state IS DISTINCT FROM NEW.state AND (OLD.state <> 'waiting') THEN diff := diff || jsonb_build_object('state', jsonb_build_array(OLD.state, NEW.state)); END IF; IF OLD.effect IS DISTINCT FROM NEW.effect AND (OLD.state <> 'waiting') THEN diff := diff || jsonb_build_object('effect', jsonb_build_array(OLD.effect, NEW.effect)); END IF; IF OLD.problem IS DISTINCT FROM NEW.problem AND (OLD.state <> 'waiting') THEN diff := diff || jsonb_build_object('problem', jsonb_build_array(OLD.problem, NEW.problem)); END IF; IF OLD.decision_id IS DISTINCT FROM NEW.decision_id AND (OLD.state <> 'waiting') THEN diff := diff || jsonb_build_object('decision_id', jsonb_build_array(OLD.decision_id, NEW.decision_id)); END IF; IF OLD.done_at IS DISTINCT FROM NEW.done_at AND (OLD.state <> 'waiting') THEN diff := diff || jsonb_build_object('done_at', jsonb_build_array(OLD.done_at, NEW.done_at)); END IF; END IF;\n    IF diff = '{}' AND TG_OP = 'UPDATE' THEN\n        RETURN NULL;\n    END IF;\n    IF coalesce(current_setting('reviewapp.acting', true), '') <> '' THEN\n        BEGIN\n            acting := current_setting('reviewapp.acting')::jsonb;\n            acting_id := (acting->>'actor_id')::bigint;\n            IF acting->>'origin' IN ('web', 'api', 'worker', 'webhook', 'pull', 'shell', 'sql') THEN\n                acting_origin := acting->>'origin';\n                acting_note := coalesce(acting->>'note', '');\n            ELSE\n                RAISE EXCEPTION 'no such origin';\n            END IF;\n        EXCEPTION WHEN OTHERS THEN\n            acting := '{}';\n            acting_id := NULL;\n            acting_note := acting_note || ', with an unreadable reviewapp.acting';\n        END;\n    END IF;\n    INSERT INTO public.audit_event\n        (at, actor_id, actor_name, action, ref, retriever_id, origin, request_id, changes, note)\n    VALUES (\n        clock_timestamp(),\n        acting_id,\n        left(coalesce(acting->>'actor_name', session_user), 150),\n        CASE TG_OP WHEN 'DELETE' THEN 'batch.deleted' WHEN 'INSERT' THEN 'batch.changed' ELSE 'batch.changed' END,\n        coalesce(CASE TG_OP WHEN 'DELETE' THEN 'batches/' || OLD.batch_id ELSE 'batches/' || NEW.batch_id END, TG_TABLE_NAME || '/' || CASE TG_OP WHEN 'DELETE' THEN OLD.id ELSE NEW.id END),\n        coalesce(NULL, ''),\n        acting_origin,\n        left(coalesce(acting->>'request_id', ''), 64),\n        diff,\n        left(acting_note, 20000)\n    );\n    RETURN NULL;\n", hash='20b1ad3f6120e4404a2047740b4edce3c390bbeb', operation='INSERT OR UPDATE OR DELETE', pgid='pgtrigger_tracked_3ef22', table='annotations_batchitem', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='batchitem',
            trigger=pgtrigger.compiler.Trigger(name='never_truncated', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(func="RAISE EXCEPTION '% cannot be truncated: it would leave no history', TG_TABLE_NAME;", hash='3c686277796db92d6702f59ffbe6484de482cb68', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_never_truncated_fe407', table='annotations_batchitem', when='BEFORE')),
        ),
    ]
