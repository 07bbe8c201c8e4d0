"""Rows that a statement selects as jsonb become the objects that the ORM reads."""

from __future__ import annotations

import uuid
from math import isnan
from typing import Any

import pytest
from django.db.models import Model

from reviewapp.annotations.models import Annotation
from reviewapp.outbox.models import Change
from reviewapp.postgres.jsonb import float_from_json, model_from_json, time_from_json
from reviewapp.postgres.statement import Statement
from tests.factories import make_annotation, make_change

pytestmark = pytest.mark.django_db


def row_of(stored: Model) -> Any:
    table = type(stored)._meta.db_table
    return Statement(f"SELECT to_jsonb(t) FROM {table} AS t WHERE id = %(pk)s", dict).first(
        pk=stored.pk
    )


@pytest.mark.parametrize(
    "values",
    [
        {"confidence": 1.0, "score": float("inf"), "payload": {"n": [1, 2.5, None, True]}},
        {"confidence": None, "score": 0.1, "proposed": {"label": "é"}, "reasoning": "a\nb"},
    ],
)
def test_it_reads_an_annotation_as_the_orm_does(values: dict[str, Any]) -> None:
    stored = Annotation.objects.defer("search").get(pk=make_annotation(**values).pk)
    row = row_of(stored)
    del row["search"]
    read = model_from_json(Annotation, row)
    assert read.get_deferred_fields() == {"search"}
    for field in Annotation._meta.concrete_fields:
        if field.attname != "search":
            expected = getattr(stored, field.attname)
            value = getattr(read, field.attname)
            assert (value, type(value)) == (expected, type(expected)), field.attname


def test_it_reads_a_change_as_the_orm_does() -> None:
    stored = make_change(make_annotation(), cause=uuid.uuid4(), theirs={"confidence": 1e23})
    stored.refresh_from_db()
    read = model_from_json(Change, row_of(stored))
    for field in Change._meta.concrete_fields:
        assert getattr(read, field.attname) == getattr(stored, field.attname)
    read.reason = "saved"
    read.save(update_fields=["reason"])
    assert Change.objects.get().reason == "saved"


def test_it_reads_null_and_what_jsonb_spells_as_text() -> None:
    assert (time_from_json(None), float_from_json(None)) == (None, None)
    number = float_from_json("NaN")
    assert number is not None
    assert isnan(number)
    moment = time_from_json("2026-03-04T05:06:07.8+00:00")
    assert moment is not None
    assert moment.isoformat() == "2026-03-04T05:06:07.800000+00:00"
