"""`manage.py pull`: bring the mirror of Mixpeek up to date."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.printable import printable
from reviewapp.sync.pull.progress_output import Bars, Lines, Progress
from reviewapp.sync.pull.run import pull


class Command(BaseCommand):
    """Pull once, in the foreground; safe to repeat, interrupt and start twice."""

    help = """\
Pull retrievers, executions, annotations and documents from Mixpeek, and say what was new."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Pull and print the counts; exits with 1 and one sentence when it could not finish."""
        progress: Progress = Lines(self.stdout)
        if sys.stderr.isatty():
            progress = Bars(sys.stderr)
        summary = pull(progress)
        if summary.stopped:
            raise CommandError(printable(summary.stopped))
        for line in summary.lines():
            self.stdout.write(printable(line))
