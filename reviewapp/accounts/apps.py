"""The app's registration with Django, and its groups after each migrate."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccountsConfig(AppConfig):
    name = "reviewapp.accounts"
    label = "accounts"

    def ready(self) -> None:
        """Keep the three groups in line with the code."""
        from reviewapp.accounts.roles import make_groups

        post_migrate.connect(make_groups, sender=self)
