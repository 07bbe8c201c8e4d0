"""`python -m tools.launch.prepare FILE`: migrate the database and collect static files.

Each step skips what is done already. FILE receives a JSON object: `sign_ins`, the demo people and
their passwords ("" without a sandbox), and `empty`, whether nothing was pulled yet.
"""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import OperationalError


def prepare(file: Path, *, demo: bool) -> None:
    """Migrate, collect the static files, create the demo people, and write the state to `file`."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    call_command("collectstatic", interactive=False, verbosity=0)

    sign_ins = ""
    if demo:
        call_command("demo_people", stdout=io.StringIO())
        sign_ins = _format_sign_ins()

    # Models can be imported only after django.setup().
    from reviewapp.retrievers.models import Retriever

    is_empty = not Retriever.objects.exists()
    file.write_text(json.dumps({"sign_ins": sign_ins, "empty": is_empty}))


def _format_sign_ins() -> str:
    from reviewapp.accounts.people.demo import SIGN_INS

    lines = [f"    {person.username:<10} password: {person.password}" for person in SIGN_INS]
    return "\n".join(lines)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
    try:
        prepare(Path(sys.argv[1]), demo="--demo" in sys.argv[2:])
    except (ImproperlyConfigured, OperationalError) as error:
        sys.exit(str(error).strip())
