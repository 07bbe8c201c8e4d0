"""A list whose filters are damaged is never a 500, and many filters cost no more than one."""

from __future__ import annotations

import pytest
from django.db import connection
from django.forms import Form
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reviewapp.accounts.models import User
from reviewapp.annotations.decisions.filters import DecisionsForm
from reviewapp.annotations.figures.filters import FiguresForm
from reviewapp.annotations.queue.filters import QueueFilterForm
from reviewapp.audit.filters import HistoryForm
from reviewapp.deliveries.filters import DeliveriesForm
from reviewapp.retrievers.filters import RetrieverFilterForm
from tests.decisions import decide
from tests.factories import make_annotation

pytestmark = pytest.mark.django_db

FORMS: dict[str, type[Form]] = {
    "queue": QueueFilterForm,
    "retrievers": RetrieverFilterForm,
    "deliveries": DeliveriesForm,
    "history": HistoryForm,
    "history_totals": HistoryForm,
    "history_csv": HistoryForm,
    "decisions": DecisionsForm,
    "decision_totals": DecisionsForm,
    "overrides": DecisionsForm,
    "exports": DecisionsForm,
    "new_revert": DecisionsForm,
    "figures": FiguresForm,
    "my_figures": FiguresForm,
}
DAMAGED = ["%00", "%ED%A0%80", "9" * 40, "x" * 5000, "9999-12-31T23:59:59"]
# Django refuses requests with more than a thousand parameters.
MANY = 990


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_it_answers_damaged_filters(name: str, lena_client: Client, alice: User) -> None:
    decide(make_annotation(), alice, label="dog")
    answers = {}
    for field in [*FORMS[name].base_fields, "cursor", "kind"]:
        for value in DAMAGED:
            response = lena_client.get(f"{reverse(name)}?{field}={value}")
            list(response)
            answers[field, value] = response.status_code
    assert set(answers.values()) <= {200, 302, 422}, answers


@pytest.mark.parametrize(
    "name", ["history", "history_totals", "decisions", "decision_totals", "exports", "figures"]
)
def test_it_reads_many_people_at_once(name: str, lena_client: Client) -> None:
    people = "&".join(f"person={10**4 + number}" for number in range(MANY))
    with CaptureQueriesContext(connection) as queries:
        lena_client.get(f"{reverse(name)}?{people}")
    assert len(queries) < 20
