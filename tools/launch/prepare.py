"""`python -m tools.launch.prepare FILE`: migrate the database and collect static files.

What was already done is found out by each step itself and costs little. FILE receives a JSON
object: `sign_ins`, the demo people and their passwords ("" without a sandbox), and `empty`, whether
nothing was pulled yet.
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


def prepare(answer: Path, *, demo: bool) -> None:
    """Migrate, collect the static files, make the demo people, and say what is left to do."""
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    call_command("collectstatic", interactive=False, verbosity=0)
    if demo:
        call_command("demo_people", stdout=io.StringIO())
    answer.write_text(json.dumps({"sign_ins": _sign_ins() if demo else "", "empty": _empty()}))


def _sign_ins() -> str:
    from reviewapp.accounts.people.demo import SIGN_INS

    return "\n".join(f"    {each.username:<10} password: {each.password}" for each in SIGN_INS)


def _empty() -> bool:
    from reviewapp.retrievers.models import Retriever

    return not Retriever.objects.exists()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reviewapp.settings")
    try:
        prepare(Path(sys.argv[1]), demo="--demo" in sys.argv[2:])
    except (ImproperlyConfigured, OperationalError) as error:
        sys.exit(str(error).strip())
