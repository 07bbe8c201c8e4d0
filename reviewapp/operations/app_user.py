"""The rights of the app's own database user, brought in line with the tables after each migrate."""

from __future__ import annotations

import logging

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import connections, transaction
from psycopg.errors import Diagnostic

_log = logging.getLogger(__name__)
_SCRIPT = settings.BASE_DIR / "docs" / "database-roles.sql"
# Without the user there is nothing to do, and only the owner of the tables can do it. A migrate
# that stops halfway, or goes back to nothing, has not all the tables.
_IS_WANTED = """
SELECT to_regclass('public.auth_group') IS NOT NULL AND EXISTS (
    SELECT FROM pg_class
    WHERE oid = to_regclass('public.audit_event') AND pg_has_role(relowner, 'USAGE')
        AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'reviewapp_app')
)
"""


def grant_rights(*, sender: AppConfig, using: str = "default", **options: object) -> None:
    """Run docs/database-roles.sql after a migrate, where there is such a user; what it complains of
    is logged.

    The signal comes once for each app that has models; all tables are there when it comes for the
    last one. Emptying the tables (`manage.py flush`) sends it too, without a plan: rights are not
    rows, so they stay.
    """
    senders = [config for config in apps.get_app_configs() if config.models_module is not None]
    if sender is not senders[-1] or "plan" not in options:
        return

    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(_IS_WANTED)
        (is_wanted,) = cursor.fetchone()
        if not is_wanted:
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
