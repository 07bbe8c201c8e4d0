"""`manage.py setup_webhook URL`: register our webhook with Mixpeek."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.printable import printable
from reviewapp.sync.client import client
from reviewapp.sync.listen.register_webhook import BadAddress, register


class Command(BaseCommand):
    """Register our webhook; safe to repeat, since one of the same name is updated."""

    help = """\
Register a webhook at Mixpeek that tells this app of changed annotations, or update the one there \
is."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the URL, and the name by which the webhook is recognized."""
        parser.add_argument(
            "url",
            help=_("where Mixpeek reaches us: https://review.example.com/webhooks/mixpeek"),
        )
        parser.add_argument(
            "--name",
            default="reviewapp",
            help=_("its name; one each for several installations"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register, and print what is left to do; exits with 1 and one sentence on failure."""
        try:
            registered = register(client(), name=options["name"], url=options["url"])
        except (BadAddress, MixpeekError) as error:
            raise CommandError(printable(str(error))) from None

        sentence = _("Updated the webhook %(name)s (%(id)s) for %(url)s.")
        if registered.is_new:
            sentence = _("Registered the webhook %(name)s (%(id)s) for %(url)s.")
        webhook = registered.webhook
        values = {"name": webhook.name, "id": webhook.webhook_id, "url": options["url"]}
        self.stdout.write(sentence % values)
        if registered.generated_secret:
            hint = _(
                "Set this secret for every web process and restart them; it is shown this once:"
            )
            self.stdout.write(hint)
            self.stdout.write(f"MIXPEEK_WEBHOOK_SECRET={registered.generated_secret}")
