"""Django's `changepassword`, which also revokes the person's API tokens and links."""

from __future__ import annotations

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword

from reviewapp.accounts import services
from reviewapp.accounts.models import User


class Command(changepassword.Command):
    help = "Set a person's password; their sessions end, their API tokens and links are revoked."

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Set the typed password, then revoke the person's API tokens and links."""
        # Django's default: the name of the system user.
        username = options["username"] or getpass.getuser()
        options["username"] = username
        message = super().handle(*args, **options)

        # Sessions contain a hash of the password, so the old ones are void already.
        user = User.people.get(username=username)
        services.end_old_password(user, actor=None, note=services.BY_COMMAND)
        return message
