"""Create a person who can sign in. The password is never an argument: process lists show those."""

from __future__ import annotations

import os
import sys
from getpass import getpass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from reviewapp.accounts import roles, services


class Command(BaseCommand):
    help = (
        "Create a person. The password comes from PERSON_PASSWORD, else from standard input, else "
        "you are asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the name, the role and the address."""
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=list(roles.PERMISSIONS))
        parser.add_argument("--email", default="")

    def handle(self, *, username: str, role: str, email: str, **options: Any) -> None:
        """Create the person; raises CommandError."""
        password = os.environ.get("PERSON_PASSWORD", "")
        if not password and not sys.stdin.isatty():
            password = sys.stdin.readline().rstrip("\r\n")
        elif not password:
            password = getpass(_("Password: "))
            if getpass(_("Password again: ")) != password:
                raise CommandError(_("The two passwords differ."))

        try:
            person = services.create_person(
                username=username,
                email=email,
                password=password,
                role=role,
                actor=None,
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        sentence = _("%(name)s can now sign in, as %(role)s.")
        self.stdout.write(sentence % {"name": person.username, "role": role})
