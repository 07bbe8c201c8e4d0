"""Keep how far the delivery of each decision got, for figures."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import reviewapp.audit.trigger_sql


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0022_counted_decisions'),
        ('outbox', '0011_cannot_tell_verbs'),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name='change',
            trigger=pgtrigger.compiler.Trigger(name='counted', sql=reviewapp.audit.trigger_sql.OwnerTriggerSql(condition='WHEN (NEW.cause IS NOT NULL)', func="\n    UPDATE public.annotations_counteddecision counted\n    SET\n        delivery = NEW.state,\n        delivery_tenths = CASE WHEN NEW.state = 'delivered' THEN\n            round(extract(epoch FROM NEW.settled_at - decision.created_at) * 10)\n        END\n    FROM public.annotations_decision decision\n    WHERE decision.decision_id = NEW.cause AND counted.decision_id = decision.id;\n    RETURN NULL;\n    ", hash='a781c63b80461364f4190d479ec033f3a8a3e427', operation='INSERT OR UPDATE OF "state", "settled_at"', pgid='pgtrigger_counted_6fb2e', table='outbox_change', when='AFTER')),
        ),
    ]
