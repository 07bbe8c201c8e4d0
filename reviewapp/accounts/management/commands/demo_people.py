"""Create the demo people. Safe to repeat; refused with a real Mixpeek."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reviewapp.accounts.people import demo


class Command(BaseCommand):
    help = "Create the demo people (reviewer, lead, admin). Everybody may know their passwords."

    def handle(self, **options: Any) -> None:
        """Create or repair them, and print the sign-ins that changed."""
        if not demo.are_allowed():
            problem = _(
                "MIXPEEK_API_KEY is set and MIXPEEK_BASE_URL is not on this machine: demo people "
                "have passwords that everybody may know. Create a real person instead: "
                "manage.py create_person NAME --role reviewer"
            )
            raise CommandError(problem)

        for sign_in in demo.create_demo_people():
            values = {"name": sign_in.username, "password": sign_in.password}
            self.stdout.write(_("%(name)s  password: %(password)s") % values)
