"""Make the demo's people; quick and harmless to repeat, refused beside a real Mixpeek."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.accounts.people import demo


class Command(BaseCommand):
    help = "Make the demo's people (reviewer, lead, admin), whose passwords everybody may know."

    def handle(self, **options: Any) -> None:
        """Make or mend them, and print the sign-ins of those that were."""
        if not demo.are_welcome():
            raise CommandError(
                "MIXPEEK_API_KEY is set and MIXPEEK_BASE_URL is not on this machine: demo people have passwords that "
                "everybody may know. Make a real person instead: manage.py create_person NAME --role reviewer"
            )
        for each in demo.make_people():
            self.stdout.write(f"{each.username}  password: {each.password}")
