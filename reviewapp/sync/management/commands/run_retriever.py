"""`manage.py run_retriever NAME_OR_ID key=value ...`: run a retriever now and keep what it returns."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import acting, tracing
from reviewapp.mixpeek.exceptions import MixpeekError
from reviewapp.printable import printable
from reviewapp.retrievers import mirror
from reviewapp.retrievers.documents.evidence import title_of
from reviewapp.retrievers.forms import RunForm
from reviewapp.retrievers.models import Execution, Result, Retriever
from reviewapp.retrievers.services import requested
from reviewapp.sync.client import client
from reviewapp.sync.executions import run


class Command(BaseCommand):
    """Run one retriever in the foreground."""

    help = "Run a retriever with inputs given as key=value, keep its results, and print them."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the retriever and its inputs."""
        parser.add_argument("retriever", metavar="NAME_OR_ID")
        parser.add_argument("inputs", nargs="*", metavar="key=value")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and print the execution and its rows; exits with 1 and one sentence when that fails."""
        with tracing(Origin.SHELL):
            retriever = _find(options["retriever"])
            inputs = _read(retriever, options["inputs"])
            with acting(None, note="run_retriever"):
                execution = requested(retriever, inputs, by="the command line", claimed_at=timezone.now())
            run.make(execution)
        execution.refresh_from_db()
        for line in _report(execution):
            self.stdout.write(printable(line))
        if execution.status == "failed":
            raise CommandError(printable(execution.error) or "The run failed, and Mixpeek did not say why.")


def _find(name: str) -> Retriever:
    """Return the retriever with this id or name, asking Mixpeek when the mirror does not have it."""
    by_id = Retriever.objects.present().filter(retriever_id=name)
    found = list(by_id or Retriever.objects.present().filter(name=name)[:2])
    if len(found) > 1:
        raise CommandError(f"More than one retriever is called {name!r}; give its id.")
    if found:
        return found[0]
    try:
        record = client().get_retriever(name)
    except MixpeekError as error:
        said = printable(error.message)
        raise CommandError(f"There is no retriever {name!r} here, and Mixpeek says: {said}") from None
    with acting(None, note="run_retriever"):
        mirror.absorb([record])
    return Retriever.objects.get(retriever_id=record.retriever_id)


def _read(retriever: Retriever, pairs: Iterable[str]) -> dict[str, Any]:
    """Return the inputs, read by the types the retriever declares, or say in one sentence what is wrong."""
    split = [pair.partition("=") for pair in pairs]
    given = {key: value for key, _, value in split}
    form = RunForm(retriever)
    unclear = [key for key, equals, _ in split if not equals]
    unknown = [key for key in given if key not in form.fields and key not in unclear]
    if unclear or unknown:
        known = ", ".join(form.fields) or "none"
        what = f"{unclear[0]!r} is not key=value" if unclear else f"{retriever.name} has no input {unknown[0]!r}"
        raise CommandError(f"{what}; its inputs are: {known}.")
    form = RunForm(retriever, {f"input-{key}": value for key, value in _with_defaults(form, given).items()})
    if not form.is_valid():
        wrong = "; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items())
        raise CommandError(f"The inputs are not right: {wrong}")
    return form.inputs()


def _with_defaults(form: RunForm, given: dict[str, str]) -> dict[str, Any]:
    defaults = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    return defaults | given


def _report(execution: Execution) -> Iterable[str]:
    yield f"{execution.execution_id or 'no execution'}: {execution.status}, {execution.total_returned or 0} results"
    for warning in execution.warnings:
        yield f"  warning: {warning}"
    for result in Result.objects.of(execution).iterator(chunk_size=100):
        score = "" if result.score is None else f"{result.score:.3f}"
        yield f"{result.rank:>5} {score:>9} {result.document_id}  {title_of(result.snapshot)}"
