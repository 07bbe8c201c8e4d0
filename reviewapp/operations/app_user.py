"""Grant the app's own database user its rights on the tables, after each migrate."""

from __future__ import annotations

import logging

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections, transaction
from psycopg.errors import Diagnostic

_log = logging.getLogger(__name__)
_SCRIPT = settings.BASE_DIR / "docs" / "database-roles.sql"
# Rights can be granted if the user exists, by the owner of the tables, and only when all tables are
# there: a migrate may stop halfway, or remove them.
_CAN_GRANT = """
SELECT to_regclass('public.auth_group') IS NOT NULL AND EXISTS (
    SELECT FROM pg_class
    WHERE oid = to_regclass('public.audit_event') AND pg_has_role(relowner, 'USAGE')
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'reviewapp_app')
)
"""


def grant_rights(*, sender: AppConfig, using: str = "default", **options: object) -> None:
    """Run docs/database-roles.sql if the app's database user exists; log its warnings.

    A handler of `post_migrate`, which is sent once for each app that has models; all tables exist
    when it is sent for the last one. `manage.py flush` sends it too, without a plan; it empties the
    tables and leaves the rights.
    """
    senders = [config for config in apps.get_app_configs() if config.models_module is not None]
    if sender is not senders[-1] or "plan" not in options:
        return

    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(_CAN_GRANT)
        (can_grant,) = cursor.fetchone()
        if not can_grant:
            return

        connection.connection.add_notice_handler(_log_warning)
        try:
            cursor.execute("SELECT set_config('reviewapp.migrating', 'on', true)")
            cursor.execute(_SCRIPT.read_text())
        finally:
            connection.connection.remove_notice_handler(_log_warning)


def _log_warning(notice: Diagnostic) -> None:
    if notice.severity_nonlocalized == "WARNING":
        _log.warning("docs/database-roles.sql: %s", notice.message_primary)
