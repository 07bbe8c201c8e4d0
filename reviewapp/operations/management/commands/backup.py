"""`manage.py backup FILE`: the whole database in one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reviewapp.operations.backup.backups import back_up
from reviewapp.operations.backup.exceptions import BackupError


class Command(BaseCommand):
    """Make a backup while everything runs: it holds one instant."""

    help = (
        "Write the whole database to a new file (pg_dump's custom format). "
        "Nothing has to be stopped."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the file's name."""
        parser.add_argument("file", type=Path, help=_("a file that does not exist yet"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and say how large it is."""
        try:
            size = back_up(options["file"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        sentence = _("Wrote %(file)s (%(size)s bytes). Restore it with: manage.py restore FILE")
        self.stdout.write(sentence % {"file": options["file"], "size": f"{size:,}"})
