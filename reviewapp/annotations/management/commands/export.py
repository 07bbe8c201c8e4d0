"""`manage.py export decisions --format csv --filter "person=3" FILE`: take data out."""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reviewapp.annotations.exports import services
from reviewapp.annotations.exports.filters import ExportKind
from reviewapp.annotations.exports.formats import Format
from reviewapp.annotations.exports.forms import ExportForm
from reviewapp.audit.actions import Origin
from reviewapp.audit.context import tracing


class Command(BaseCommand):
    """Write an export and its manifest."""

    help = """\
Write decisions, current labels or history to a file, and a manifest beside it."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take what, in which format, of which filter, and where to."""
        parser.add_argument("kind", choices=ExportKind.values)
        parser.add_argument("file", type=Path)
        parser.add_argument("--format", choices=Format.values, default=Format.CSV.value)
        parser.add_argument(
            "--filter",
            default="",
            help="the query string of the page of decisions or of the history",
        )
        parser.add_argument("--grades", default="", help="for qrels: real=2,unsure=1")
        parser.add_argument("--snapshot", action="store_true", help="with documents, for jsonl")
        parser.add_argument("--zone", default="UTC", help="of the times: Europe/Vienna")
        parser.add_argument("--url", default="", help="where links lead: https://review.example")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write both files; exits with 1 and a sentence if the filter is wrong or finds nothing."""
        data = {
            "kind": options["kind"],
            "format": options["format"],
            "filter": options["filter"],
            "grades": options["grades"],
            "with_snapshot": options["snapshot"],
            "zone": options["zone"],
        }
        form = ExportForm(data)
        if not form.is_valid():
            problems = itertools.chain.from_iterable(form.errors.values())
            raise CommandError(" ".join(map(str, problems)))
        if not services.matches_anything(form.cleaned_data):
            raise CommandError("Nothing matches this filter, so nothing was written.")

        path: Path = options["file"]
        with tracing(Origin.SHELL):
            export = services.create_export(form.cleaned_data, actor=None)
        base_url = options["url"].rstrip("/")
        chunks = services.file_chunks(export, base_url=base_url, actor=None, origin=Origin.SHELL)
        with path.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)

        export.refresh_from_db()
        manifest_path = path.with_name(f"{path.name}.manifest.json")
        manifest_path.write_text(json.dumps(services.manifest(export), indent=2) + "\n")
        self.stdout.write(f"{export.rows} rows in {path}")
