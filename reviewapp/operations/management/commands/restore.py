"""`manage.py restore FILE`: the database as a backup holds it, or untouched."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from reviewapp.operations.backup.backups import restore
from reviewapp.operations.backup.exceptions import BackupError


class Command(BaseCommand):
    """Restore in one transaction, into an empty database unless told otherwise."""

    help = (
        "Restore the database from a backup, in one transaction. "
        "Stop web processes and workers first."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the file's name, and whether to replace what is there."""
        parser.add_argument("file", type=Path, help=_("a file that manage.py backup wrote"))
        parser.add_argument(
            "--force",
            action="store_true",
            help=_("replace everything in a database that is not empty"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore and say what comes next."""
        try:
            restore(options["file"], force=options["force"])
        except BackupError as error:
            raise CommandError(str(error)) from error
        sentence = _(
            "Restored. Next: manage.py migrate (the backup may be older than this code), then "
            "start all."
        )
        self.stdout.write(sentence)
