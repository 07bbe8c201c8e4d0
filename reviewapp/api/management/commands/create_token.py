"""`manage.py create_token USERNAME --scope decide --days 30`: create an API token."""

from __future__ import annotations

import argparse
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reviewapp.api import tokens
from reviewapp.api.models import ApiToken
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import tracing


class Command(BaseCommand):
    """Make a token for somebody."""

    help = "Make an API token for a person and print it; it cannot be shown again."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the person, the scope, how long it lasts and what it is for."""
        parser.add_argument("username")
        parser.add_argument(
            "--scope",
            choices=ApiToken.Scope.values,
            default=ApiToken.Scope.READ.value,
        )
        parser.add_argument(
            "--days",
            type=int,
            default=tokens.DEFAULT_DAYS,
            help=f"1 to {tokens.MAX_DAYS}",
        )
        parser.add_argument("--name", default="made by create_token", help=_("what it is for"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token and print only the secret on standard output, for scripts."""
        people = get_user_model().people
        owner = people.with_name(options["username"]).filter(is_active=True).first()
        if owner is None:
            sentence = _("There is no active person called '%(name)s'.")
            raise CommandError(sentence % {"name": options["username"]})
        try:
            with tracing(Origin.SHELL):
                token, secret = tokens.create_token(
                    owner,
                    name=options["name"],
                    scope=options["scope"],
                    days=options["days"],
                    actor=None,
                )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        values = {
            "name": owner.get_username(),
            "scope": token.scope,
            "date": f"{token.expires_at:%Y-%m-%d}",
        }
        self.stderr.write(_("For %(name)s, scope %(scope)s, until %(date)s:") % values)
        self.stdout.write(secret)
