"""The app's configuration: its checks, signal receivers and what it sets up after each migrate."""

from __future__ import annotations

from allauth.account.signals import password_changed, password_reset
from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in
from django.core.checks import Tags, register
from django.core.management import call_command
from django.db.models.signals import post_migrate

from reviewapp.postgres.statement import register_frequent_read


class AccountsConfig(AppConfig):
    name = "reviewapp.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Register the checks, the signal receivers and what every request reads."""
        from reviewapp.accounts import backend, checks, middleware, roles, services

        register(checks.check_mixpeek, Tags.security)
        post_migrate.connect(roles.sync_groups, sender=self)
        post_migrate.connect(create_cache_table, sender=self)
        user_logged_in.connect(middleware.begin_session)
        password_reset.connect(services.end_after_reset)
        password_changed.connect(services.withdraw_after_change)
        register_frequent_read(backend.read_nobody)


def create_cache_table(*, using: str, **_: object) -> None:
    """Create the table of the shared cache if it is missing, after each migrate."""
    call_command("createcachetable", database=using, verbosity=0)
