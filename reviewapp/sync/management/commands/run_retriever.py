"""`manage.py run_retriever NAME_OR_ID key=value ...`: run a retriever now, store its results."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.json_values import number_text
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.printable import printable
from reviewapp.retrievers import mirror
from reviewapp.retrievers.documents.evidence import document_title
from reviewapp.retrievers.executions.forms import RunForm
from reviewapp.retrievers.models import Result, Retriever
from reviewapp.retrievers.services import record_requested_run
from reviewapp.sync.client import client
from reviewapp.sync.executions import run


class Command(BaseCommand):
    """Run one retriever in the foreground."""

    help = "Run a retriever with inputs given as key=value, keep its results, and print them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the retriever and its inputs."""
        parser.add_argument("retriever", metavar="NAME_OR_ID")
        parser.add_argument("inputs", nargs="*", metavar="key=value")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and print the execution and its rows; exits with 1 and one sentence on failure."""
        with tracing(Origin.SHELL):
            retriever = _find(options["retriever"])
            inputs = _parse_inputs(retriever, options["inputs"])
            with acting(None, note="run_retriever"):
                execution = record_requested_run(
                    retriever,
                    inputs,
                    by="the command line",
                    claimed_at=timezone.now(),
                )
            run.execute_claimed(execution)

        execution.refresh_from_db()
        execution_id = execution.execution_id or _("no execution")
        number = execution.total_returned or 0
        summary = ngettext("%(number)s result", "%(number)s results", number)
        lines = [f"{execution_id}: {execution.status}, {summary % {'number': number}}"]
        for warning in execution.warnings:
            lines.append("  " + _("warning: %(text)s") % {"text": warning})
        for result in Result.objects.of(execution).iterator(chunk_size=100):
            score = ""
            if result.score is not None:
                score = number_text(result.score)
            title = document_title(result.snapshot)
            lines.append(f"{result.rank:>5} {score:>9} {result.document_id}  {title}")
        for line in lines:
            self.stdout.write(printable(line))

        if execution.status == "failed":
            error = printable(execution.error)
            raise CommandError(error or _("The run failed, and Mixpeek did not say why."))


def _find(name: str) -> Retriever:
    """Return the retriever with this id or name, from the mirror or from Mixpeek."""
    retrievers = list(Retriever.objects.present().filter(retriever_id=name))
    if not retrievers:
        retrievers = list(Retriever.objects.present().filter(name=name)[:2])
    if len(retrievers) > 1:
        sentence = _("More than one retriever is called '%(name)s'; give its id.")
        raise CommandError(sentence % {"name": name})
    if retrievers:
        return retrievers[0]

    try:
        record = client().get_retriever(name)
    except MixpeekError as error:
        sentence = _("There is no retriever '%(name)s' here, and Mixpeek says: %(message)s")
        values = {"name": name, "message": printable(error.message)}
        raise CommandError(sentence % values) from None

    with acting(None, note="run_retriever"):
        mirror.absorb_retriever([record])
    return Retriever.objects.get(retriever_id=record.retriever_id)


def _parse_inputs(retriever: Retriever, pairs: Iterable[str]) -> dict[str, Any]:
    """Return the inputs by the types that the retriever declares.

    Raises `CommandError` with a sentence that says what is wrong.
    """
    form = RunForm(retriever)
    known = ", ".join(form.fields) or _("none")
    values: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            sentence = _("'%(key)s' is not key=value; its inputs are: %(names)s.")
            raise CommandError(sentence % {"key": key, "names": known})
        values[key] = value
    for key in values:
        if key not in form.fields:
            sentence = _("%(retriever)s has no input '%(key)s'; its inputs are: %(names)s.")
            values_of = {"retriever": retriever.name, "key": key, "names": known}
            raise CommandError(sentence % values_of)

    data: dict[str, Any] = {}
    for name in form.fields:
        default = form[name].value()
        if default not in (None, ""):
            data[f"input-{name}"] = default
    for key, value in values.items():
        data[f"input-{key}"] = value

    form = RunForm(retriever, data)
    if not form.is_valid():
        errors = []
        for name, texts in form.errors.items():
            sentences = " ".join(map(str, texts))
            errors.append(f"{name}: {sentences}")
        sentence = _("The inputs are not right: %(errors)s")
        raise CommandError(sentence % {"errors": "; ".join(errors)})
    return form.inputs()
